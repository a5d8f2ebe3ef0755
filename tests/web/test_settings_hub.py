"""Settings gathers what concerns e-mail; each entry is there for who has its right, and opens for nobody else."""

import pytest

from postroom.models.profile import Profile, Right

pytestmark = pytest.mark.django_db

#: What each entry under "E-mail messages" needs, any of these.
NEEDS = {
    "/settings/types/": {Right.TYPES_MANAGE},
    "/templates/": {Right.TEMPLATES_EDIT, Right.CAMPAIGNS_SEND},
    "/settings/accounts/": {Right.CAMPAIGNS_SEND, Right.ACCOUNTS_ADD, Right.ACCOUNTS_MANAGE},
    "/settings/sending/": {Right.CAMPAIGNS_SEND, Right.ACCOUNTS_ADD, Right.ACCOUNTS_MANAGE},
    "/settings/approvals/": {Right.ACCOUNTS_APPROVE},
    "/settings/domains/": {Right.DOMAINS_MANAGE},
    "/settings/audit/": {Right.LOG_VIEW},
    "/settings/status/": {Right.LOG_VIEW},
    "/settings/status/log/": {Right.LOG_VIEW},
    "/settings/people/": {Right.USERS_MANAGE},
    "/settings/tokens/": {Right.TOKENS_ADD},
    "/settings/webhooks/": {Right.WORKSPACE_MANAGE},
}
#: Closed as well as hidden.
CLOSED = (
    "/settings/types/",
    "/settings/audit/",
    "/settings/status/",
    "/settings/people/",
    "/settings/webhooks/",
)


def entries(web):
    page = web.get("/settings/").content.decode()
    main = page.split('<main id="main"')[1].split("</main>")[0]
    return page, {path for path in NEEDS if f'href="{path}"' in main}


@pytest.mark.req("CM-01")
def test_the_hub_shows_each_profile_what_it_has_a_right_to(as_user, alice, bob):
    page, found = entries(as_user(alice))
    assert found == set(NEEDS), "the owner sees all"
    for word in (
        "E-mail messages",
        "Message types",
        "Templates",
        "Mail accounts",
        "Sending",
        "Log",
        "Sync status",
    ):
        assert word in page
    web = as_user(bob)
    for right in (None, *Right):
        Profile.objects.update(rights=[str(right)] if right else [])
        _, found = entries(web)
        assert found == {path for path, rights in NEEDS.items() if right in rights}, right
        for path in CLOSED:
            assert web.get(path).status_code == (200 if path in found else 403), (right, path)
