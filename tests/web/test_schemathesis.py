"""The API against its own OpenAPI document: whatever is sent, no 5xx, no undocumented status, type or shape."""

import os
import traceback

import pytest
import schemathesis
from django.core.cache import cache
from django.core.signals import got_request_exception, request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.config import GenerationConfig, ProjectConfig, ProjectsConfig, SchemathesisConfig
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from postroom.actions.token import token_add
from postroom.models.profile import Profile
from postroom.queries.scopes import SCOPES
from postroom.queries.viewer import viewer_of
from tests.web.test_matrix import ALL, world  # noqa: F401

pytestmark = pytest.mark.django_db
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
#: Requests an operation, of each kind: as the document wants them, and not so.
EXAMPLES = {GenerationMode.POSITIVE: 3, GenerationMode.NEGATIVE: 2}
LONGER = 20 if os.environ.get("SOAK") else 1
#: What the cast knows by these names is put in the place of what was made up, so that more than 404 is met.
KNOWN = st.sampled_from([True, True, False])


@pytest.fixture
def one_connection(db):
    """All requests are part of the test's own transaction, as with Django's test client."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


@pytest.fixture
def schema(one_connection):
    quiet = GenerationConfig(with_security_parameters=False)
    config = SchemathesisConfig(projects=ProjectsConfig(default=ProjectConfig(generation=quiet)))
    return schemathesis.openapi.from_wsgi("/api/openapi.json", get_wsgi_application(), config=config)


def run(operation, mode, token, ids, wrong):
    """Requests of one operation; everything is as before afterwards. What is amiss goes to `wrong`."""

    @seed(7)
    @settings(
        max_examples=EXAMPLES[mode] * LONGER,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode), known=KNOWN)
    def ask(case, known):
        if known and case.path_parameters:
            case.path_parameters.update({k: ids[k] for k in case.path_parameters if k in ids})
        with transaction.atomic():
            try:
                response = case.call(headers={"Authorization": f"Bearer {token}"})
            finally:
                transaction.set_rollback(True)
        try:
            case.validate_response(response, checks=CHECKS)
        except (Exception, FailureGroup) as error:
            words = getattr(error, "exceptions", [error])
            wrong.setdefault(
                operation.label, f"{mode.name} {response.status_code}: {words}\n{case.as_curl_command()}"
            )

    try:
        ask()
    except Unsatisfiable:
        assert mode is GenerationMode.NEGATIVE  # it takes nothing, so nothing wrong can be sent
    except Exception as error:
        wrong.setdefault(operation.label, f"{mode.name}: {type(error).__name__}: {error}"[:600])


@pytest.mark.parametrize("who", ["owner", "member"])
def test_whatever_is_sent_gets_a_documented_answer(who, world, cast, schema, settings):  # noqa: F811
    settings.POSTROOM_API_PER_MINUTE = 1_000_000
    cache.clear()
    Profile.objects.filter(name="Office").update(rights=sorted(ALL))
    viewer = cast.alice if who == "owner" else viewer_of(cast.bob.user)
    _token, secret = token_add(viewer=viewer, name="Shop", scopes=list(SCOPES))
    wrong, faults = {}, []

    def fault(sender, **_more):
        faults.append(traceback.format_exc(limit=-6))

    got_request_exception.connect(fault)
    try:
        for found in schema.get_all_operations():
            operation = found.ok()
            for mode in EXAMPLES:
                run(operation, mode, secret, world.ids_for(operation.path), wrong)
    finally:
        got_request_exception.disconnect(fault)
    assert not wrong, "\n\n".join(f"{label}: {words}" for label, words in wrong.items())
    assert not faults, "\n\n".join(dict.fromkeys(faults))
