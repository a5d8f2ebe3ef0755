"""What a row of the inbox says besides the conversation itself: what became of our last mail in it."""

from collections.abc import Sequence

from django.db.models import Q

from postroom.models.conversation import Conversation
from postroom.models.delivery import Delivery
from postroom.models.message import Message

#: From bad to harmless: the worst of the recipients of our last mail is said.
_WORST = ("failed", "bounced", "uncertain", "deferred", "delayed")
_TROUBLE = Q(state__in=("failed", "uncertain", "deferred")) | Q(arrival__in=("bounced", "delayed"))


def troubles(conversations: Sequence[Conversation]) -> dict[int, str]:
    """conversation id -> the state of its last mail, which is ours and did not arrive (yet); others are left out."""
    asked = [one.id for one in conversations if one.last_direction == "out"]
    if not asked:
        return {}
    rows = Delivery.objects.filter(_TROUBLE, message__conversation__in=asked, message__direction="out")
    newest: dict[int, tuple[int, str]] = {}
    found = rows.values_list("message__conversation_id", "message_id", "state", "arrival")
    for conversation_id, message_id, state, arrival in found:
        state = arrival if arrival in ("bounced", "delayed") else state
        before = newest.get(conversation_id, (0, ""))
        if message_id > before[0] or (
            message_id == before[0] and _WORST.index(state) < _WORST.index(before[1])
        ):
            newest[conversation_id] = (message_id, state)
    last = _last_sent(list(newest))
    return {number: state for number, (message, state) in newest.items() if last.get(number) == message}


def _last_sent(conversation_ids: list[int]) -> dict[int, int]:
    rows = Message.objects.filter(conversation__in=conversation_ids, direction="out").order_by("id")
    return {
        conversation: number or 0
        for number, conversation in rows.values_list("id", "conversation_id")
        if conversation
    }
