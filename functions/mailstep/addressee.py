"""Decides where a reply goes. ValidateEmail asks the rules about that address, and the states that send write to it."""

from mailstep.addresses import canonical, is_one_of, mailbox
from mailstep.authentication import is_aligned, is_authenticated
from mailstep.contracts import Address, Message


def addressee(message: Message, own: frozenset[str]) -> Address:
    """The mailbox that a reply goes to: the one in Reply-To (RFC 5322 section 3.6.2), or else the one in From.

    Reply-To counts only if it is in the organisational domain of the authenticated From (RFC 7489 section 3.2):
    otherwise anyone could have Mailstep write to a stranger. It does not count if it has several mailboxes, is one that
    SES cannot send to, or is one of `own`, Mailstep's own addresses in canonical form.
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
    if is_one_of(address, own) or not is_aligned(address.rpartition("@")[2], sender.rpartition("@")[2]):
        return author
    return wanted
