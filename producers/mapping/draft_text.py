"""A draft as TOML with its reasons as comments, for a person to finish."""

from collections.abc import Iterator

from producers.mapping.draft import Draft, Line, Value
from producers.mapping.load import UNKNOWN


def text(draft: Draft, file_name: str) -> str:
    """Return the text of a mapping file.

    Args:
        draft: What is proposed.
        file_name: Of the table, for the first line only.
    """
    return "\n".join(_lines(draft, file_name)) + "\n"


def _lines(draft: Draft, file_name: str) -> Iterator[str]:
    yield f"# A mapping for {_comment(file_name)}, proposed from its content."
    yield f'# Fill in every "{UNKNOWN}"; custody mapping check shows the first rows as requests.'
    if draft.doubts:
        yield "#"
        yield "# Doubtful:"
        yield from (f"# - {_comment(doubt)}" for doubt in draft.doubts)
    if draft.unused:
        yield "#"
        yield f"# Not used: {_comment(', '.join(map(repr, draft.unused)))}"
    yield from ("", "version = 1", "", "[file]")
    yield from _keys(draft.file)
    if draft.constants:
        yield from ("", "[constants]")
        yield from _keys(draft.constants)
    yield from ("", "[[record]]", f"type = {value(draft.stem)}")
    if draft.elements:
        yield "elements = ["
        for line in draft.elements:
            yield f"  {value(line.value)},  # {_comment(line.reason)}"
        yield "]"
    yield from ("", "[record.fields]")
    yield from _keys(draft.fields)


def _keys(lines: list[Line]) -> Iterator[str]:
    for line in lines:
        yield f"{_key(line.key)} = {value(line.value)}  # {_comment(line.reason)}"


def value(given: Value) -> str:
    """Return a value as TOML, all on one line."""
    match given:
        case bool():
            return "true" if given else "false"
        case int():
            return str(given)
        case str():
            return _quoted(given)
        case tuple():
            return f"[{', '.join(value(item) for item in given)}]"
        case dict():
            pairs = (f"{_key(key)} = {value(item)}" for key, item in given.items())
            return f"{{ {', '.join(pairs)} }}"


def _key(name: str) -> str:
    bare = name.isascii() and name.replace("_", "").replace("-", "").isalnum()
    return name if bare else _quoted(name)


_ESCAPES = {"\\": "\\\\", '"': '\\"', "\t": "\\t"}


def _quoted(text: str) -> str:
    return '"' + "".join(_letter(letter) for letter in text) + '"'


def _letter(letter: str) -> str:
    if letter in _ESCAPES:
        return _ESCAPES[letter]
    if ord(letter) < 32 or ord(letter) == 127:
        return f"\\u{ord(letter):04x}"
    # A byte that the encoding does not know is no letter that TOML could hold.
    return "\ufffd" if "\ud800" <= letter <= "\udfff" else letter


def _comment(text: str) -> str:
    """Return a text that ends with its line and has nothing a comment may not hold."""
    return "".join(letter if letter.isprintable() else " " for letter in text)
