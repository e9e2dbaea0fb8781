"""Who an email is: repeats share an id, others do not, and every id is a valid name of an execution."""

import re
from datetime import UTC, datetime

from hypothesis import example, given
from hypothesis import strategies as st

from mailstep.start.identity import execution_name, later_answer, stored_email

NAMES = st.text(st.characters(blacklist_characters="/", blacklist_categories=["Cs"]), min_size=1, max_size=200)


def test_the_id_begins_with_the_ses_message_id_so_that_it_can_be_searched_for() -> None:
    email = stored_email("b", "inbound/orders/o3vrnil0e2ic28trm7dfhrc2v0clambda4nbp0g1", "v1")
    assert email
    assert email.email_id.startswith("o3vrnil0e2ic28trm7dfhrc2v0clambda4nbp0g1-")
    assert email.route == "orders"


@given(bucket=NAMES, route=NAMES, name=NAMES, version=st.none() | NAMES)
@example(bucket="b", route="orders", name="x" * 60, version=None)
def test_every_id_is_a_valid_execution_name_with_room_for_a_replay(
    bucket: str, route: str, name: str, version: str | None
) -> None:
    email = stored_email(bucket, f"inbound/{route}/{name}", version)
    if name == "AMAZON_SES_SETUP_NOTIFICATION":
        assert email is None
        return
    assert email
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,80}", f"{email.email_id}-r99")
    assert email == stored_email(bucket, f"inbound/{route}/{name}", version)


def test_a_later_answer_is_named_by_its_key() -> None:
    email = stored_email("b", "inbound/orders/o3vrnil0e2ic28trm7dfhrc2v0clambda4nbp0g1")
    assert email
    made = [later_answer("b", f"answers/{email.email_id}/{name}.json") for name in ("shipped", "late.2", "shipped")]
    names = [execution_name(one) for one in made if one]
    assert all(re.fullmatch(r"o3vrnil0e2ic28trm7dfhrc2v0clambda4nbp0g1-[0-9a-f]{32}", name) for name in names)
    assert names[0] == names[2] != names[1]
    assert email.email_id not in names
    assert [(one.email_id, one.name) for one in made if one][1] == (email.email_id, "late.2")


@given(key=st.text() | st.from_regex(r"answers/[a-z-]*/?[^/]*(/.*)?", fullmatch=True))
def test_only_a_key_of_an_email_and_a_name_is_a_later_answer(key: str) -> None:
    found = later_answer("b", key)
    is_one = re.fullmatch(r"answers/[A-Za-z0-9_-]{1,76}/[A-Za-z0-9][A-Za-z0-9._-]{0,99}\.json", key)
    assert (found is not None) == (is_one is not None)
    if found:
        assert re.fullmatch(r"[A-Za-z0-9_-]{1,80}", execution_name(found))


def test_another_key_or_bucket_is_another_email() -> None:
    made = [
        stored_email("b", "inbound/orders/m"),
        stored_email("b", "inbound/orders/n"),
        stored_email("c", "inbound/orders/m"),
        stored_email("b", "inbound/others/m"),
    ]
    assert len({email.email_id for email in made if email}) == len(made)


def test_the_same_object_stored_again_is_the_same_email() -> None:
    made = [
        stored_email("b", "inbound/orders/m", version, stored)
        for version in (None, "v1", "v2")
        for stored in (None, datetime(2026, 11, 24, tzinfo=UTC), datetime(2027, 11, 24, tzinfo=UTC))
    ]
    assert len({email.email_id for email in made if email}) == 1


def test_what_lies_elsewhere_is_no_mail_of_a_route() -> None:
    for key in (
        "inbound/orders/AMAZON_SES_SETUP_NOTIFICATION",
        "inbound/orders",
        "inbound/orders/",
        "inbound//m",
        "inbound/orders/deeper/m",
        "parsed/x/message.json",
        "other/orders/m",
    ):
        assert stored_email("b", key, "v") is None, key


def test_the_email_keeps_the_version_and_the_time_of_its_object() -> None:
    at = datetime(2026, 11, 24, tzinfo=UTC)
    email = stored_email("b", "inbound/orders/m", "v1", at)
    assert email
    assert (email.version_id, email.stored) == ("v1", at)


def test_a_later_answer_in_another_bucket_is_another_one_and_begins_as_its_email() -> None:
    key = "answers/A-b_C-0123456789abcdef0123456789abcdef/shipped.json"
    made = [later_answer(bucket, key) for bucket in ("b", "c")]
    names = [execution_name(one) for one in made if one]
    assert names[0] != names[1]
    assert all(re.fullmatch(r"A-b_C-[0-9a-f]{32}", name) for name in names)


def test_a_character_that_no_name_has_is_one_hyphen() -> None:
    email = stored_email("b", "inbound/orders/M.x")
    assert email
    assert re.fullmatch(r"M-x-[0-9a-f]{32}", email.email_id)
