"""Who an email is: repeats share an id, others do not, and every id is a valid name of an execution."""

import re

from hypothesis import given
from hypothesis import strategies as st

from mailstep.identity import stored_email

NAMES = st.text(st.characters(blacklist_characters="/", blacklist_categories=["Cs"]), min_size=1, max_size=200)


def test_the_id_begins_with_the_ses_message_id_so_that_it_can_be_searched_for() -> None:
    email = stored_email("b", "inbound/orders/o3vrnil0e2ic28trm7dfhrc2v0clambda4nbp0g1", "v1")
    assert email
    assert email.id.startswith("o3vrnil0e2ic28trm7dfhrc2v0clambda4nbp0g1-")
    assert email.route == "orders"


@given(bucket=NAMES, route=NAMES, name=NAMES, version=st.none() | NAMES)
def test_every_id_is_a_valid_execution_name_with_room_for_a_replay(
    bucket: str, route: str, name: str, version: str | None
) -> None:
    email = stored_email(bucket, f"inbound/{route}/{name}", version)
    if name == "AMAZON_SES_SETUP_NOTIFICATION":
        assert email is None
        return
    assert email
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,80}", f"{email.id}-r99")
    assert email == stored_email(bucket, f"inbound/{route}/{name}", version)


def test_another_version_key_or_bucket_is_another_email() -> None:
    made = [
        stored_email("b", "inbound/orders/m", "v1"),
        stored_email("b", "inbound/orders/m", "v2"),
        stored_email("b", "inbound/orders/n", "v1"),
        stored_email("c", "inbound/orders/m", "v1"),
        stored_email("b", "inbound/others/m", "v1"),
        stored_email("b", "inbound/orders/m", None, "etag1"),
        stored_email("b", "inbound/orders/m", None, "etag2"),
    ]
    assert len({email.id for email in made if email}) == len(made)


def test_what_lies_elsewhere_is_nobodys_mail() -> None:
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
