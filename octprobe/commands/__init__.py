"""One file a subcommand: parse, call one function, show."""
