"""The decision table: conditions as people write them."""

import pytest

from apps.approvals.domain.table import decide, read_condition
from apps.core.errors import InvalidInput

FACTS = {"budget": "12000", "channel": "email", "risk": "High", "tags": ["eu", "gdpr"], "note": "", "live": True}


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("", True),
        ("budget >= 10000", True),
        ("budget ≥ 12000.00", True),
        ("budget > 12000", False),
        ("budget < 9 000", False),
        ("channel in (email, social)", True),
        ("channel is not in (print, tv)", True),
        ("channel not in email", False),
        ("risk is high", True),
        ("risk is not high", False),
        ("risk != low", True),
        ("tags contains gdpr", True),
        ("tags is eu", True),
        ("note is empty", True),
        ("owner is empty", True),
        ("note is not empty", False),
        ("live is yes", True),
        ("budget >= 10000 and channel in (email, social) and risk is high", True),
        ("budget >= 10000 and channel is print", False),
        ("missing > 3", False),
        ("missing != 3", True),
    ],
)
def test_condition(text, holds):
    assert decide(read_condition(text), FACTS)[0] is holds


def test_reasons_tell_what_was_found():
    _, (reason,) = decide(read_condition("budget >= 20000"), FACTS)
    assert (reason.holds, reason.sentence) == (False, "budget is at least 20000 (it is 12000)")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("budget", "“budget” is not understood. Write a field, a comparison and a value"),
        ("budget >=", "lacks the value to compare budget with"),
        ("note is empty really", "nothing follows"),
        ("1 > 2", "is not understood"),
    ],
)
def test_nonsense_is_refused_in_words(text, sentence):
    with pytest.raises(InvalidInput, match=sentence):
        read_condition(text)
