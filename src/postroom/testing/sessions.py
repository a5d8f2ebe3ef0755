"""Signed-in people in a running instance, made by a process of its own: `python -m postroom.testing.sessions`.

make --people N --templates T -> {"sessions": [key, ...], "templates": [id, ...]}: everybody may change every template,
    whose text is the number 0.
sum -> {"sum": of the numbers, "versions": of the version numbers above 1, "history": rows kept}
"""

import argparse
import json
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from postroom.queries.viewer import Viewer


def main() -> int:
    parser = argparse.ArgumentParser(description="Make or read an office in the instance of POSTROOM_DATA.")
    parser.add_argument("verb", choices=["make", "sum", "draft"])
    parser.add_argument("--people", type=int, default=50)
    parser.add_argument("--templates", type=int, default=10)
    parser.add_argument("--recipients", type=int, default=1000)
    parser.add_argument("--port", type=int, default=25)
    parser.add_argument("--per-minute", type=int, default=0)
    args = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "postroom.conf.settings")
    import django

    django.setup()
    print(json.dumps({"make": _make, "sum": _sum, "draft": _draft}[args.verb](args)))
    return 0


def _alice() -> "Viewer":
    """Of the cast, which is made when it is not there."""
    from postroom.models.user import User
    from postroom.queries.viewer import viewer_of
    from postroom.testing.cast import make_cast

    alice = User.objects.filter(email="alice@example.org").first()
    viewer = viewer_of(alice) if alice else make_cast().alice
    assert viewer is not None, "Alice has a firm"
    return viewer


def _make(args: argparse.Namespace) -> dict[str, object]:
    from django.test import Client

    from postroom.actions.member import member_add
    from postroom.models.template import Template
    from postroom.models.user import User

    viewer = _alice()
    space = viewer.workspace
    sessions = []
    for number in range(args.people):
        user = User.objects.create_user(f"person{number}@example.org", None, name=f"Person {number}")
        member_add(workspace=space, user=user)
        client = Client()
        client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
        sessions.append(client.session.session_key)
    templates = [
        Template.objects.create(
            workspace=space,
            created_by=viewer.user,
            name=f"Counter {number}",
            text="0",
            everyone=["view", "use", "edit"],
        ).id
        for number in range(args.templates)
    ]
    return {"sessions": sessions, "templates": templates}


def _sum(_args: argparse.Namespace) -> dict[str, object]:
    from postroom.models.template import Template, TemplateVersion

    found = list(Template.objects.filter(name__startswith="Counter "))
    return {
        "sum": sum(int(one.text) for one in found),
        "versions": sum(one.version - 1 for one in found),
        "history": TemplateVersion.objects.filter(template__in=found).count(),
    }


def _draft(args: argparse.Namespace) -> dict[str, object]:
    """A draft of Alice's, ready to be started; her password is "correct horse"."""
    from postroom.testing.cast import make_account, make_campaign, make_list

    viewer = _alice()
    account = make_account(viewer, port=args.port, per_minute=args.per_minute, name="Away")
    people = make_list(viewer, [f"away-{n}@crash.example" for n in range(args.recipients)], name="Away")
    return {"campaign": make_campaign(viewer, account, people, name="Away").id}


if __name__ == "__main__":
    sys.exit(main())
