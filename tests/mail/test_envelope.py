"""Return paths and their tags."""

import pytest

from postroom.mail.envelope import ReturnPlan, tagged

TOKEN = "a" * 20


@pytest.mark.req("SA-17")
def test_the_return_path_is_the_account_and_tagged_only_where_that_works() -> None:
    address = "news@office.example"
    assert ReturnPlan("", address).mail_from(TOKEN) == address
    assert ReturnPlan("", address, plus_tag=True).mail_from(TOKEN) == f"news+{TOKEN}@office.example"
    assert (
        ReturnPlan("bounce.example", address, plus_tag=True).mail_from(TOKEN) == f"b-{TOKEN}@bounce.example"
    )


@pytest.mark.req("SA-17")
def test_a_local_part_above_64_octets_gets_no_tag() -> None:
    fits, too_long = "x" * 43, "x" * 44
    assert tagged(f"{fits}@office.example", TOKEN) == f"{fits}+{TOKEN}@office.example"
    assert tagged(f"{too_long}@office.example", TOKEN) == ""
    plan = ReturnPlan("", f"{too_long}@office.example", plus_tag=True)
    assert plan.mail_from(TOKEN) == f"{too_long}@office.example"
    assert tagged("ż" * 21 + "@office.example", TOKEN)
    assert tagged("ż" * 22 + "@office.example", TOKEN) == ""
