"""Which answer of a network is which class of a folder: a text file of the folders' names in its order."""

from collections.abc import Collection
from pathlib import Path

from octprobe.errors import UsageError

# So many names show what is wrong; a folder can have thousands.
_MOST_TOLD = 3


def read_class_map(file: Path) -> dict[str, int]:
    """Give the place of each name of a file, a name a line; it is read as text, so no code of it can run.

    Raises:
        UsageError: the file cannot be read as text, or holds a name twice, an empty line or no name.
    """
    try:
        names = [line.strip() for line in file.read_text(encoding="utf-8").rstrip().split("\n")]
    except OSError as error:
        raise UsageError(
            f"--class-map {file}: cannot be read: {error.strerror or error}; give a text file, a name a line"
        ) from error
    except ValueError as error:  # of UTF-8, as a pickle is none; or a null byte in the path
        raise UsageError(
            f"--class-map {file}: is no text; write the names of the classes' folders into it, one a line"
        ) from error
    places: dict[str, int] = {}
    for place, name in enumerate(names):
        if not name or places.setdefault(name, place) != place:
            fault = f"holds {name!r} again" if name else "is empty"
            raise UsageError(
                f"--class-map {file}: line {place + 1} {fault}; each line is the folder's name of one class"
            )
    return places


def refuse_unmapped(file: Path, known: Collection[str], found: Collection[str]) -> None:
    """Stop where folders hold images that the map would leave out.

    Args:
        file: of the map, for the message.
        known: names that it holds.
        found: names of folders that hold images.

    Raises:
        UsageError: a folder is not in the map.
    """
    missing = sorted(set(found) - set(known))
    if missing:
        told = ", ".join(missing[:_MOST_TOLD]) + (", ..." if len(missing) > _MOST_TOLD else "")
        raise UsageError(
            f"--class-map {file}: lacks {len(missing)} of {len(set(found))} folders of images: {told}; name "
            "each class of the folder, or take away those that are not to be asked about"
        )
