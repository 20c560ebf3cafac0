"""Names and numbers in a message."""

import unicodedata


def printable(text: object) -> str:
    """The text on one line, with what no terminal can print (half characters, controls, line breaks) escaped."""
    text = str(text)
    if text.isprintable():
        return text
    return "".join(
        letter.encode("unicode_escape").decode() if unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp") else letter
        for letter in text
    )


def some(names: list[str] | dict[str, str]) -> str:
    """At most 5 of the names, and how many more there are."""
    if isinstance(names, dict):
        names = [f"{name} = {original}" for name, original in names.items()]
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return printable(", ".join(names[:5])) + more


def ranges(numbers: list[int]) -> str:
    """1, 2, 3, 25 -> "1 to 3, 25"."""
    parts: list[list[int]] = []
    for number in numbers:
        if parts and number == parts[-1][-1] + 1:
            parts[-1].append(number)
        else:
            parts.append([number])
    return ", ".join(f"{part[0]} to {part[-1]}" if len(part) > 1 else str(part[0]) for part in parts)
