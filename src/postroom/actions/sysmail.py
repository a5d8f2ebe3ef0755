"""System mail: Django hands it over, a message row is written, the delivery daemon sends it (DESIGN section 2)."""

from collections.abc import Callable, Sequence

from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from django.db.models import Q
from django.utils import translation

from postroom.actions.message import notice_queue
from postroom.models.account import Account, AccountKind, AccountStatus, Approval
from postroom.models.user import User


def notice_account_for(email: str) -> Account | None:
    """The notice account of a workspace this person belongs to; None: no mail can go to them, give them a link."""
    return (
        Account.objects.filter(
            deleted_at=None,
            id__in=User.objects.filter(email=email.strip().lower(), is_active=True).values(
                "memberships__workspace__notice_account_id"
            ),
        )
        .exclude(status=AccountStatus.FAILING)
        .exclude(Q(kind=AccountKind.PLATFORM) & ~Q(approval=Approval.APPROVED))
        .select_related("workspace")
        .first()
    )


def notice_tell(
    person: User | None, words: Callable[[], tuple[str, str]], *, but: Account | None = None
) -> bool:
    """Write to one of our people, in their language. words: makes subject and text.

    False: no mail can go to them; the page says it anyway. but: an account that is not to be used for it.
    """
    through = notice_account_for(person.email) if person and person.is_active else None
    if person is None or through is None or through == but:
        return False
    with translation.override(person.language):
        subject, text = words()
        notice_queue(account=through, recipient=person.email, subject=subject, text=text)
    return True


class MessageRowBackend(BaseEmailBackend):
    """Writes message rows; talks to no server. A recipient without a notice account gets nothing; the page said so."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        sent = 0
        for mail in email_messages:
            for recipient in mail.recipients():
                account = notice_account_for(recipient)
                if account is not None:
                    notice_queue(
                        account=account,
                        recipient=recipient,
                        subject=" ".join(mail.subject.split()),
                        text=str(mail.body),
                    )
                    sent += 1
        return sent
