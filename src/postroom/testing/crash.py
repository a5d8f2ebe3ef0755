"""A campaign inside a running instance, made and read by a process of its own: `python -m postroom.testing.crash`.

make --recipients N --port P --connections C [--per-minute M] [--tag T] -> {"campaign": id}
report --campaign ID -> {"state", "throttled", "rows": {address: state}, "figures"}
"""

import argparse
import json
import os
import sys


def main() -> int:
    parser = argparse.ArgumentParser(description="Make or read a campaign of the instance of POSTROOM_DATA.")
    parser.add_argument("verb", choices=["make", "report"])
    parser.add_argument("--recipients", type=int, default=1000)
    parser.add_argument("--port", type=int, default=25)
    parser.add_argument("--connections", type=int, default=4)
    parser.add_argument("--per-minute", type=int, default=0)
    parser.add_argument("--tag", default="x")
    parser.add_argument("--campaign", type=int, default=0)
    args = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "postroom.conf.settings")
    import django

    django.setup()
    print(json.dumps(_make(args) if args.verb == "make" else _report(args.campaign)))
    return 0


def _make(args: argparse.Namespace) -> dict[str, object]:
    from postroom.actions.campaign_start import campaign_freeze, campaign_start
    from postroom.models.user import User
    from postroom.queries.viewer import viewer_of
    from postroom.testing.cast import make_account, make_campaign, make_cast, make_list

    alice = User.objects.filter(email="alice@example.org").first()
    viewer = viewer_of(alice) if alice else make_cast().alice
    assert viewer is not None, "Alice has a firm"
    account = make_account(
        viewer, port=args.port, connections=args.connections, per_minute=args.per_minute, name=args.tag
    )
    people = make_list(
        viewer, [f"{args.tag}-{n}@crash.example" for n in range(args.recipients)], name=args.tag
    )
    campaign = make_campaign(viewer, account, people, name=args.tag)
    campaign_start(viewer=viewer, campaign_id=campaign.id, undo_s=0)
    campaign_freeze(campaign_id=campaign.id)
    return {"campaign": campaign.id}


def _report(campaign_id: int) -> dict[str, object]:
    from postroom.models.campaign import Campaign
    from postroom.models.delivery import Delivery
    from postroom.queries.campaign import figures_of

    campaign = Campaign.objects.get(id=campaign_id)
    rows = dict(Delivery.objects.filter(campaign_id=campaign_id).values_list("address", "state"))
    return {
        "state": campaign.state,
        "throttled": campaign.throttled,
        "rows": rows,
        "figures": figures_of([campaign])[campaign_id].counts,
    }


if __name__ == "__main__":
    sys.exit(main())
