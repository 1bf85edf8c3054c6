"""Many terms in one pass: a tree of words that is walked once along the text, whatever the number of terms."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

_TOKEN = re.compile(r"\w+|[^\w\s]")
_GAP = 40  # characters of white space and line breaks that may stand between two words of a term


@dataclass(frozen=True)
class Hit:
    """One term found: which, and where in the read text."""

    key: int
    start: int
    end: int


@dataclass
class _Node:
    """A place in the tree: which terms end here, and which words go on."""

    ends: list[int] = field(default_factory=list)
    ways: dict[str, "_Node"] = field(default_factory=dict)


def fold(word: str) -> str:
    """Return a word as it is compared: small letters, one form of letters that look alike by composition."""
    return word.lower() if word.isascii() else unicodedata.normalize("NFKC", word).casefold()


def words_of(text: str) -> list[str]:
    """Return the words and signs of a text as they are compared."""
    return [fold(each) for each in _TOKEN.findall(text)]


class TermTree:
    """Terms of one or more words, each with a key; an asterisk at the end of a word stands for any ending."""

    def __init__(self, terms: Iterable[tuple[str, int]]) -> None:
        self._root = _Node()
        self._beginnings: dict[str, list[int]] = {}
        for term, key in terms:
            if re.fullmatch(r"\w+\*", term.strip()):
                self._beginnings.setdefault(fold(term.strip()[:-1]), []).append(key)
                continue
            node = self._root
            for word in words_of(term):
                node = node.ways.setdefault(word, _Node())
            if node is not self._root:
                node.ends.append(key)
        self._sizes = sorted({len(each) for each in self._beginnings})

    def find(self, text: str) -> Iterator[Hit]:
        """Return every term in `text`, overlapping ones too: one walk along its words."""
        tokens = self._tokens(text)
        root, beginnings = self._root.ways, self._beginnings
        for number, (word, start, end) in enumerate(tokens):
            if word in root:
                yield from self._walk(root[word], tokens, number)
            if beginnings:
                for size in self._sizes:
                    for key in beginnings.get(word[:size], ()):
                        yield Hit(key, start, end)

    @staticmethod
    def _walk(node: _Node, tokens: list[tuple[str, int, int]], number: int) -> Iterator[Hit]:
        start, end = tokens[number][1], tokens[number][2]
        while True:
            for key in node.ends:
                yield Hit(key, start, end)
            number += 1
            if not node.ways or number >= len(tokens):
                return
            word, begins, ends = tokens[number]
            following = node.ways.get(word)
            if following is None or begins - end > _GAP:
                return
            node, end = following, ends

    @staticmethod
    def _tokens(text: str) -> list[tuple[str, int, int]]:
        if text.isascii():
            text = text.lower()
            return [(each[0], each.start(), each.end()) for each in _TOKEN.finditer(text)]
        return [(fold(each[0]), each.start(), each.end()) for each in _TOKEN.finditer(text)]
