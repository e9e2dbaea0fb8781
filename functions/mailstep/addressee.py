"""Decides where a reply goes. ValidateEmail asks the rules about that address, and the states that send write to it."""

from mailstep.addresses import canonical, is_one_of, mailbox, without_label
from mailstep.authentication import is_aligned, is_authenticated
from mailstep.contracts import Address, Message
from mailstep.mail_providers import is_public_provider


def addressee(message: Message, own: frozenset[str]) -> Address:
    """The mailbox that a reply goes to: the one in Reply-To (RFC 5322 section 3.6.2), or else the one in From.

    Reply-To counts only if it is in the organisational domain of the authenticated From (RFC 7489 section 3.2), and
    that domain is no public mail provider's: otherwise anyone could have Mailstep write to a stranger. The author's own
    mailbox with a label counts everywhere. Reply-To does not count if it has several mailboxes, is one that SES cannot
    send to, or is one of `own`, Mailstep's own addresses in canonical form.
    """
    author = message.from_[0]
    if len(message.reply_to) != 1 or not is_authenticated(message):
        return author
    [wanted] = message.reply_to
    try:
        mailbox(wanted)
    except ValueError:
        return author
    address, sender = canonical(wanted.address), canonical(author.address)
    return wanted if not is_one_of(address, own) and _is_known_to(sender, address) else author


def _is_known_to(sender: str, address: str) -> bool:
    """Whether an address is the sender's own mailbox, or one of the sender's organisation."""
    here, there = sender.rpartition("@")[2], address.rpartition("@")[2]
    return without_label(address) == without_label(sender) or (is_aligned(there, here) and not is_public_provider(here))
