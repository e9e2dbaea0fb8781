"""What a processor imports.

A built-in processor is one module here or in functions/custom/processors/, with one function
`process(message, open_attachment) -> Answer | None`. None asks for no reply; to refuse the message, it raises
`ApplicationRefused`. It imports everything that it needs of Mailstep from here.
"""

from mailstep import custom
from mailstep.contracts import Answer, AnswerAttachment, Attachment, Message
from mailstep.errors import ApplicationRefused
from mailstep.process.each_attachment import OpenAttachment, UnreadableAttachment, Worked, work_on_each
from mailstep.texts.speaking import language

__all__ = [
    "Answer",
    "AnswerAttachment",
    "ApplicationRefused",
    "Attachment",
    "Message",
    "OpenAttachment",
    "UnreadableAttachment",
    "Worked",
    "language",
    "work_on_each",
]

# An installation's own processors come first.
__path__ = custom.PROCESSORS
