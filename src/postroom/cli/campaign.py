"""`postroom campaign`: the campaigns of a person, a new draft, starting, pausing, going on, ending."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from postroom.cli import boot
from postroom.errors import InputError, NotFound

ACTS = {
    "start": "Start a draft; exit code 2 says what is in the way.",
    "pause": "Hold it; what is on its way still arrives.",
    "resume": "Go on with a paused one.",
    "cancel": "End it; who has got nothing yet gets nothing.",
}


def add(subparsers: Any) -> None:
    parser = subparsers.add_parser(
        "campaign",
        help="List, make, start, pause and end campaigns.",
        description="Everything is done as the person of --as, with their rights. Exit codes: 0 done, 2 cannot be done"
        " (stderr says why; with --json stdout holds the code).",
    )
    acts = parser.add_subparsers(metavar="ACT", required=True)
    act = _act(
        acts, "list", "Their campaigns, newest first.", 'print [{"id", "name", "state", "figures", ...}]'
    )
    act.add_argument("--state", default="", help="only these, as running")
    act.set_defaults(run=_run(show_all))
    act = _act(acts, "show", "One campaign with its figures.", "print what the API shows of it")
    act.add_argument("id", type=int)
    act.set_defaults(run=_run(show))
    act = _act(acts, "create", "A new draft.", "print what the API shows of it")
    act.add_argument("name")
    act.add_argument("--subject", default="")
    act.add_argument("--html", metavar="FILE", default="", help="its body; - = standard input")
    act.add_argument(
        "--text", metavar="FILE", default="", help="its plain text; left out = made from the body"
    )
    act.add_argument("--list", action="append", default=[], metavar="NAME", help="may be given several times")
    act.add_argument("--account", default="", metavar="ADDRESS", help="the account it is sent from")
    act.add_argument("--template", type=int, default=None, help="id; its subject and body are copied in")
    act.set_defaults(run=_run(create))
    for word, words in ACTS.items():
        act = _act(acts, word, words, "print what the API shows of it")
        act.add_argument("id", type=int)
        if word == "start":
            act.add_argument(
                "--force", action="store_true", help="though nobody reads the receipts asked for"
            )
        act.set_defaults(run=_run(change), act=word)


def _act(acts: Any, name: str, words: str, says: str) -> argparse.ArgumentParser:
    act: argparse.ArgumentParser = acts.add_parser(name, help=words, description=words)
    act.add_argument("--as", dest="email", required=True, metavar="EMAIL", help="who does it")
    act.add_argument("--workspace", type=int, default=None, help="id, for who belongs to several")
    act.add_argument("--json", action="store_true", help=says)
    return act


def _run(work: Any) -> Any:
    """The command; with --json a refusal is told on stdout as the API tells it, too."""

    def run(args: argparse.Namespace) -> int:
        boot.ready("campaign")
        from postroom.errors import PostroomError
        from postroom.web.errors import error_json

        try:
            return int(work(args, person(args.email, args.workspace)))
        except PostroomError as error:
            if args.json:
                _print(error_json(error))
            raise

    return run


def person(email: str, workspace: int | None) -> Any:
    """The viewer of who works here as `email`; workspace None = their first. Raises NotFound."""
    from postroom.queries.user import user_by_email
    from postroom.queries.viewer import viewer_of

    user = user_by_email(email)
    viewer = viewer_of(user, workspace) if user else None
    if viewer is None:
        where = f" in workspace {workspace}" if workspace else ""
        raise NotFound(f"Nobody works here{where} as {email}.")
    return viewer


def show_all(args: argparse.Namespace, viewer: Any) -> int:
    from postroom.models.campaign import CampaignState
    from postroom.queries.campaign import campaigns_visible_to, figures_of
    from postroom.web.campaigns.answers import campaign_short

    rows = campaigns_visible_to(viewer).select_related("account").order_by("-id")
    if args.state:
        if args.state not in CampaignState.values:
            raise InputError(f"--state {args.state} is none of {', '.join(CampaignState.values)}.")
        rows = rows.filter(state=args.state)
    found = list(rows[:1000])
    figures = figures_of(found)
    shown = [campaign_short(campaign, figures[campaign.id]) for campaign in found]
    if args.json:
        _print(shown)
        return 0
    for one in shown:
        done = f"{one['figures']['done']}/{one['figures']['total']}"
        print(f"{one['id']:>6}  {one['state']:<16} {done:>17}  {one['name']}")
    return 0


def show(args: argparse.Namespace, viewer: Any) -> int:
    from postroom.queries.campaign import campaign_visible_to

    return _told(args, campaign_visible_to(viewer, args.id))


def create(args: argparse.Namespace, viewer: Any) -> int:
    from django.db import transaction

    from postroom.actions.campaign import campaign_create

    values: dict[str, Any] = {}
    for name in ("html", "text"):
        if getattr(args, name):
            values[name] = _text(getattr(args, name))
    if args.subject:
        values["subject"] = args.subject
    if args.list:
        values["list_ids"] = [_list(viewer, name) for name in args.list]
    if args.account:
        values["account_id"] = _account(viewer, args.account)
    with transaction.atomic():
        made = campaign_create(viewer=viewer, name=args.name, template_id=args.template, **values)
    return _told(args, made)


def change(args: argparse.Namespace, viewer: Any) -> int:
    from postroom.actions.campaign_run import campaign_cancel, campaign_pause, campaign_resume
    from postroom.actions.campaign_start import campaign_start

    if args.act == "start":
        changed = campaign_start(viewer=viewer, campaign_id=args.id, force_receipts=args.force)
    else:
        acts: dict[str, Any] = {"pause": campaign_pause, "resume": campaign_resume, "cancel": campaign_cancel}
        changed = acts[args.act](viewer=viewer, campaign_id=args.id)
    return _told(args, changed)


def _told(args: argparse.Namespace, campaign: Any) -> int:
    from postroom.web.campaigns.answers import campaign_json

    values = campaign_json(campaign)
    if args.json:
        _print(values)
        return 0
    why = f" ({values['reason']})" if values["reason"] else ""
    print(f"{values['id']}  {values['name']}: {values['state']}{why}")
    figures = {name: number for name, number in values["figures"].items() if number}
    if figures:
        print(", ".join(f"{name} {number}" for name, number in figures.items()))
    return 0


def _text(path: str) -> str:
    try:
        return sys.stdin.read() if path == "-" else Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise NotFound(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8.") from error


def _list(viewer: Any, name: str) -> int:
    from postroom.models.profile import May
    from postroom.queries.contact_list import contact_lists_visible_to

    for one in contact_lists_visible_to(viewer, may=May.USE):
        if one.name.casefold() == name.strip().casefold():
            return one.id
    raise NotFound(f"There is no list {name}, or {viewer.user.email} may not send to it.")


def _account(viewer: Any, address: str) -> int:
    from postroom.queries.account import accounts_usable_by

    found = accounts_usable_by(viewer).filter(address__iexact=address.strip()).order_by("id").first()
    if found is None:
        raise NotFound(f"There is no account {address}, or {viewer.user.email} may not send from it.")
    return int(found.id)


def _print(values: object) -> None:
    print(json.dumps(values, ensure_ascii=False, default=str))
