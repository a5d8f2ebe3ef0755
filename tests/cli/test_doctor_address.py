"""The doctor judges the address that links in mail really begin with."""

import pytest

from postroom.cli.doctor import _address
from postroom.models.workspace import Instance

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("url", "state"), [("https://post.firm.example", "ok"), ("http://10.0.0.5:8025", "warn")]
)
def test_the_address_is_the_one_that_the_owner_entered(settings, url, state):
    settings.POSTROOM_URL = "http://localhost:8025" if state == "ok" else "https://env.example"
    Instance.objects.update_or_create(id=1, defaults={"url": url})
    (found,) = _address()
    assert (found.state, found.words.split()[0]) == (state, url)
    assert "POSTROOM_URL" not in found.advice


def test_until_then_it_is_that_of_the_settings(settings):
    Instance.objects.update(url="")
    settings.POSTROOM_URL = "https://env.example"
    (found,) = _address()
    assert found.words == "https://env.example"
