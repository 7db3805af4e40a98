"""Text from a store made inert: a figure's labels know a little HTML, and a store's names are none."""

_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
# A series' name and a tick stay readable; tables and hover texts have the whole.
_MOST_CHARACTERS = 72


def inert(text: object) -> str:
    """Spell out control characters, and those that turn the direction of writing."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in str(text)
    )


def escaped(text: object) -> str:
    """Make text safe as a label of a figure, in which `<b>` and `<a href>` would be markup."""
    return inert(text).translate(_ENTITIES)


def shortened(text: str, most: int = _MOST_CHARACTERS) -> str:
    """Cut a name in its middle where it would push the figure off the screen."""
    kept = (most - 1) // 2
    return text if len(text) <= most else f"{text[:kept]}…{text[-kept:]}"


def hover(*lines: str) -> str:
    """Set lines of a store's text under one another, as plotly shows them beside a point."""
    return "<br>".join(escaped(line) for line in lines if line)
