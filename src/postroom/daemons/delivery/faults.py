"""How often lanes of this process broke over the same work."""

from collections import Counter

from postroom.actions.shard import Claim


class Faults:
    """Counted by shard, and by campaign in a row: a campaign that breaks everything goes through many shards."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, int]] = Counter()

    def note(self, claim: Claim) -> int:
        """One more; how many there are now."""
        keys = _keys(claim)
        self._counts.update(keys)
        return max(self._counts[key] for key in keys)

    def forget(self, claim: Claim) -> None:
        """The shard went well, or was given up."""
        for key in _keys(claim):
            self._counts.pop(key, None)


def _keys(claim: Claim) -> list[tuple[str, int]]:
    keys = [("shard", claim.shard_id)]
    if claim.campaign_id is not None:
        keys.append(("campaign", claim.campaign_id))
    return keys
