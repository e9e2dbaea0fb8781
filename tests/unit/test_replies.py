"""What somebody wrote in a reply is told from its history; the shapes are those of mail clients, the words are ours.

Over 300 lines: the shapes of many clients in many languages are data, and stand beside what is promised of them.
"""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench import fuzz, texts
from mailstep.contracts import TextKind
from mailstep.parse.replies.splitting import Reply, is_forwarded, split
from tests.support.messages import parsed
from tests.support.steps import lines_run

ANSWER = "Thanks, two please."
OLD = "Old text here.\nMore old text."
QUOTED = "> Old text here.\n> More old text."

# As Gmail, Apple Mail, Thunderbird, Outlook for Mac, Zoho and Notes write them.
ATTRIBUTIONS = [
    "On Tue, Jun 3, 2025 at 9:15 AM Carol Jones <carol@example.org> wrote:",
    "On 3 Jun 2025, at 09:15, Carol Jones <carol@example.org> wrote:",
    "On 03/06/2025 09:15, Carol Jones wrote:",
    "On Tuesday, June 3, 2025 at 9:15:00 AM UTC+2, carol wrote:",
    "Carol Jones/SALES@EXAMPLE wrote on 06/03/2025 09:15:00 AM:",
    "---- On Tue, 03 Jun 2025 09:15:00 +0200 Carol <carol@example.org> wrote ----",
    "On Tue, 3 Jun 2025 09:15:00 +0200 Carol Jones <carol@example.org> wrote",
    "2025-06-03 9:15 GMT+02:00 Carol Jones <carol@example.org>:",
    '09:15 AM, June 3, 2025, "Carol - Shop" <carol@example.org>:',
    "Carol Jones <carol@example.org> wrote:",
    "Am 03.06.25 um 09:15 schrieb Carol Jones:",
    "Carol Jones <carol@example.org> schrieb am Di., 3. Juni 2025, 09:15:",
    "Le mar. 3 juin 2025 à 09:15, Carol Jones <carol@example.org> a écrit :",
    "Le 03/06/2025 à 09:15, Carol Jones a écrit :",
    "El mar, 3 jun 2025 a las 9:15, Carol Jones (<carol@example.org>) escribió:",
    "Missatge de Carol Jones <carol@example.org> del dia dt., 3 de juny 2025 a les 9:15:",
    "Il giorno mar 3 giu 2025 alle ore 09:15 Carol Jones <carol@example.org> ha scritto:",
    "Em ter., 3 de jun. de 2025 às 09:15, Carol Jones <carol@example.org> escreveu:",
    "Op di 3 jun 2025 om 09:15 schreef Carol Jones <carol@example.org>:",
    "Op 3 jun. 2025 om 09:15 heeft Carol Jones <carol@example.org> het volgende geschreven:",
    "Den tis 3 juni 2025 kl 09:15 skrev Carol Jones <carol@example.org>:",
    "tir. 3. jun. 2025 kl. 09:15 skrev Carol Jones <carol@example.org>:",
    "På 3. juni 2025 kl. 09.15 skrev Carol Jones <carol@example.org>:",
    "ti 3. kesäk. 2025 klo 9.15 Carol Jones (carol@example.org) kirjoitti:",
    "wt., 3 cze 2025 o 09:15 Carol Jones <carol@example.org> napisał(a):",
    "W dniu 03.06.2025 o 09:15, Carol Jones pisze:",
    "út 3. 6. 2025 v 9:15 odesílatel Carol Jones <carol@example.org> napsal:",
    "Dňa 3. 6. 2025 o 9:15 Carol Jones napísal:",
    "Carol Jones <carol@example.org> ezt írta (időpont: 2025. jún. 3., K, 9:15):",
    "În mar., 3 iun. 2025 la 09:15, Carol Jones <carol@example.org> a scris:",
    "Carol Jones <carol@example.org>, 3 Haz 2025 Sal, 09:15 tarihinde şunu yazdı:",
    "Στις Τρί 3 Ιουν 2025 στις 9:15 π.μ., ο χρήστης Carol Jones <carol@example.org> έγραψε:",
    "вт, 3 июн. 2025 г. в 09:15, Carol Jones <carol@example.org>:",
    "03.06.2025 09:15, Carol Jones пишет:",
    "вт, 3 черв. 2025 р. о 09:15 Carol Jones <carol@example.org> пише:",
    "2025年6月3日(火) 9:15 Carol Jones <carol@example.org>:",
    "2025/06/03 9:15、Carol Jones <carol@example.org> のメッセージ:",
    "Carol Jones <carol@example.org> 于2025年6月3日周二 09:15写道：",
    "在 2025/6/3 9:15, Carol Jones 写道:",
    "2025년 6월 3일 (화) 오전 9:15, Carol Jones <carol@example.org>님이 작성:",
    "\u202bבתאריך יום ג׳, 3 ביוני 2025 ב-9:15 מאת \u202aCarol\u202c\u200f <\u202acarol@example.org\u202c\u200f>:\u202c",
    "في الثلاثاء، 3 يونيو 2025 في 9:15 ص تمت كتابة ما يلي بواسطة Carol Jones <carol@example.org>:",
    "Vào Th 3, 3 thg 6, 2025 vào lúc 9:15 Carol Jones <carol@example.org> đã viết:",
    "Den 03.06.2025 09:15, skreiv Carol Jones:",
    "Më mar, 3 qer 2025 në 9:15 PD Carol Jones <carol@example.org> shkroi:",
    "На вто, 3 јуни 2025 г. во 09:15 Carol Jones <carol@example.org> напиша:",
    "Ar Maw, 3 Meh 2025 am 9:15 AM Carol Jones <carol@example.org> ysgrifennodd:",
]

# Above quote marks a line needs no known words: an address in brackets, a day and a time say enough. And webmailers.
ATTRIBUTIONS_OF_QUOTES = [
    "3 Jun 2025, 09:15 by carol@example.org:",
    "3. Juni 2025, 09:15 von carol@example.org:",
    "Op Di 3 Jun. 2025 om 09:15 het Carol Jones <carol@example.org> geskryf:",
    "O mar, 3 xuño 2025 ás 9:15, Carol Jones (<carol@example.org>) escribiu:",
    "V V tor., 3. jun. 2025 ob 09:15 je oseba Carol Jones <carol@example.org> napisala:",
    "Þann þri., 3. jún. 2025 kl. 09:15 skrifaði Carol Jones <carol@example.org>:",
    "ในวันที่ อ. 3 มิ.ย. 2025 เวลา 09:15 Carol Jones <carol@example.org> เขียนว่า:",
    "মঙ্গল, ৩ জুন, ২০২৫ তারিখে ৯:১৫ AM টায় তারিখে Carol <carol@example.org> লিখেছেন:",
    "செவ்., 3 ஜூன், 2025, முற்பகல் 9:15 அன்று, Carol <carol@example.org> எழுதியது:",
    "Wiadomość napisana przez Carol Jones <carol@example.org> w dniu 3 cze 2025, o godz. 09:15:",
    "No dia 03/06/2025, às 09:15, Carol Jones <carol@example.org> escreveu:",
    "Carol Jones 於 2025/6/3 上午 9:15 寫道:",
    "2025-06-03 오전 9:15에 Carol Jones 이(가) 쓴 글:",
    "Dne 03.06.2025 ob 9:15 je Carol Jones napisal(a):",
    "Quoting Carol Jones <carol@example.org>:",
    "Zitat von Carol Jones <carol@example.org>:",
    # Wrapped.
    "Carol Jones <carol@example.org> ezt írta (időpont:\n2025. jún. 3., K, 9:15):",
    "Carol Jones <carol@example.org>, 3 Haz 2025 Sal,\n09:15 tarihinde şunu yazdı:",
    "otrd., 2025. g. 3. jūn., plkst. 09:15 — lietotājs Carol\nJones (<carol@example.org>) rakstīja:",
    "Carol Jones <carol@example.org> hat am 03.06.2025\n09:15 CEST geschrieben:",
]

# From, date, to and subject, as Outlook writes them above what it quotes.
FIELDS = {
    "en": ("From", "Sent", "To", "Subject"),
    "de": ("Von", "Gesendet", "An", "Betreff"),
    "fr": ("De ", "Envoyé ", "À ", "Objet "),
    "es": ("De", "Enviado el", "Para", "Asunto"),
    "it": ("Da", "Inviato", "A", "Oggetto"),
    "pt": ("De", "Enviada em", "Para", "Assunto"),
    "nl": ("Van", "Verzonden", "Aan", "Onderwerp"),
    "sv": ("Från", "Skickat", "Till", "Ämne"),
    "da": ("Fra", "Sendt", "Til", "Emne"),
    "fi": ("Lähettäjä", "Lähetetty", "Vastaanottaja", "Aihe"),
    "pl": ("Od", "Wysłano", "Do", "Temat"),
    "cs": ("Od", "Odesláno", "Komu", "Předmět"),
    "hu": ("Feladó", "Elküldve", "Címzett", "Tárgy"),
    "ro": ("De la", "Trimis", "Către", "Subiect"),
    "tr": ("Gönderen", "Gönderildi", "Kime", "Konu"),
    "ru": ("От", "Отправлено", "Кому", "Тема"),
    "ja": ("差出人", "送信日時", "宛先", "件名"),
    "zh": ("发件人", "发送时间", "收件人", "主题"),
    "ko": ("보낸 사람", "보낸 날짜", "받는 사람", "제목"),
    "el": ("Από", "Στάλθηκε", "Προς", "Θέμα"),
    "bg": ("От", "Изпратено", "До", "Относно"),
    "et": ("Saatja", "Saadetud", "Adressaat", "Teema"),
    "lt": ("Nuo", "Išsiųsta", "Kam", "Tema"),
    "zh-TW": ("寄件者", "寄件日期", "收件者", "主旨"),
    "th": ("จาก", "ส่ง", "ถึง", "เรื่อง"),
}

SEPARATORS = [
    "-----Carol Jones/SALES wrote: -----",
    "-----Carol Jones <carol@example.org> schrieb: -----",
    ">>> Carol Jones <carol@example.org> 6/3/2025 9:15 AM >>>",
    ">>> Carol Jones 03.06.2025 09:15 >>>",
    "------------------&nbsp;原始邮件&nbsp;------------------",
    "-----Original Message-----",
    "-------- Original message --------",
    "‐‐‐‐‐‐‐ Original Message ‐‐‐‐‐‐‐",
    "*-------- Original Message --------*",
    "-----Ursprüngliche Nachricht-----",
    "-----Message d'origine-----",
    "-----Message d’origine-----",
    "-----Mensaje original-----",
    "-----Messaggio originale-----",
    "-----Mensagem original-----",
    "-----Oorspronkelijk bericht-----",
    "-----Ursprungligt meddelande-----",
    "-----Oprindelig meddelelse-----",
    "-----Opprinnelig melding-----",
    "-----Alkuperäinen viesti-----",
    "-----Wiadomość oryginalna-----",
    "-----Původní zpráva-----",
    "-----Eredeti üzenet-----",
    "-----Mesaj original-----",
    "-----Özgün İleti-----",
    "-----Исходное сообщение-----",
    "------------------ 原始邮件 ------------------",
    "-----元のメッセージ-----",
    "-----원본 메시지-----",
]

FORWARDS = [
    "---------- Forwarded message ---------",
    "-------- Forwarded Message --------",
    "Begin forwarded message:",
    "-------- Weitergeleitete Nachricht --------",
    "Anfang der weitergeleiteten Nachricht:",
    "---------- Message transféré ---------",
    "Début du message réexpédié :",
    "---------- Mensaje reenviado ----------",
    "-------- Messaggio inoltrato --------",
    "---------- Mensagem encaminhada ---------",
    "-------- Doorgestuurd bericht --------",
    "---------- Vidarebefordrat meddelande ----------",
    "-------- Пересылаемое сообщение --------",
    "---------- 转发的邮件 ---------",
    "-------- Välitetty viesti / Fwd.Msg --------",
    "Forwarded message:",
]

TELEPHONES = [
    "Sent from my iPhone",
    "Sent from my Verizon Wireless BlackBerry",
    "Sent from my cell, please excuse any typos.",
    "(sent from a phone)",
    "Sent from Outlook for iOS<https://aka.ms/o0ukef>",
    "Get Outlook for Android<https://aka.ms/ghei36>",
    "Sent from Yahoo Mail on Android",
    "Sent from Mail for Windows 11",
    "Von meinem iPhone gesendet",
    "Diese Nachricht wurde von meinem Android-Gerät mit K-9 Mail gesendet.",
    "Envoyé de mon iPhone",
    "Enviado desde mi Samsung Galaxy",
    "Inviato da iPad",
    "Verstuurd vanaf mijn iPhone",
    "Skickat från min iPhone",
    "Sendt fra min iPad",
    "Wysłane z iPhone'a",
    "Odesláno z iPhonu",
    "Отправлено с моего iPhone",
    "iPhoneから送信",
    "나의 iPhone에서 보냄",
    "發自我的 iPhone",
    "从我的iPhone发送",
    "iOS 版 Outlook を入手",
    "Outlook für Android beziehen",
    "Outlook para Android",
    "Gesendet mit der GMX Mail App",
    "Inviato dal mio dispositivo Android",
    "Trimis de pe iPhone-ul meu",
    "Đã gửi từ iPhone của tôi",
    "Στάλθηκε από το iPhone μου",
    "Sent from my Verizon, Samsung Galaxy smartphone",
    "Sent via BlackBerry from T-Mobile",
    "Sent from my Moto G",
    "Envoyé depuis mon appareil Galaxy",
    "Enviado do Yahoo Mail no Android",
    "Lähetetty Outlook for iOS -sovelluksesta",
    "Отправлено из мобильной Почты Mail.ru",
    "Отправлено из мобильного приложения Яндекс Почты",
    "Надіслано з мого iPhone",
    "Sent from Yahoo Mail. Get the app",
    "Yahoo Mail: Search, Organize, Conquer",
    "Sent from the all new AOL app for iOS",
    "Sent from my BlackBerry - the most secure mobile device",
    "sent from my phone - please excuse typos",
    "Outlook für iOS laden",
    "Получить Outlook для iOS",
    "取得 iOS 版 Outlook",
    "iOS용 Outlook 받기",
    "\u200bSent from my iPhone",
]

SENTENCES = [
    "Sent from my desk, this is much easier than from my phone.",
    "Sent from my iPhone app to all of your users.",
    "Sent from my iPhone, which I love.",
    "Sent from Berlin on Monday.",
    "Gesendet mit DHL am 5. Mai.",
    "From my iPhone I cannot log in.",
    "나의 주문 번호는 4711입니다",
    "发自内心的感谢",
    "Get Outlook for iOS to work, please.",
    "Inviato da Roma",
    "Gesendet von meinem Kollegen aus Berlin",
    "Outlook para el próximo trimestre es bueno",
    "我的iPhone坏了",
    "Sent from the phone shop, Samsung will call you",
    "Gesendet mit Hermes",
    "Yahoo Mail: it does not open",
    "Sent via DHL (https://dhl.example/4711)",
]

# Names with words that are pronouns in some language, or that say pronouns.
WRITERS = [
    *(
        "Ella Lee",
        "Han Li",
        "My Nguyen",
        "Tran, Chi",
        "I. Newton",
        "He Xiaoming",
        "IT Support",
        "We Love Lamps",
        "Ella",
    ),
    *("Ann Lee (she/her)", "Lee, Ann [she, her]", "Dr. med. Ann Lee, M.Sc.", "Ann Lee - Head of Sales"),
]

# Headers of single clients. Outlook puts marks of direction into those in Hebrew and Arabic, Chinese ones put spaces
# into names; Notes has no colons, eM Client and 163 neither; GroupWise; Yandex; Zimbra.
HEADERS_OF_CLIENTS = [
    "________________________________\nמאת: Carol <carol@example.org>\n\u200f\u200fנשלח: יום שלישי 03 יוני 2025 09:15\n"
    "\u200f\u200fאל: ann@example.org\n\u200f\u200fנושא: Order",
    "________________________________\nمن: Carol <carol@example.org>\n\u200f\u200fتم الإرسال: 3 يونيو 2025 09:15 ص\n"
    "\u200f\u200fإلى: ann@example.org\n\u200f\u200fالموضوع: Order",
    "------------------------------------\n发件人：Carol <carol@example.org>\n发送时间：2025年6月3日(星期二) 09:15\n"
    "收件人：ann <ann@example.org>\n抄　送：bob <bob@example.org>\n主　题：Order",
    "----- Ursprüngliche Mail -----\nVon: Carol <carol@example.org>\nAn: ann\nGesendet: 3. Juni 09:15\nBetreff: Order",
    "----- Post original -----\nDe: Carol <carol@example.org>\nÀ: ann\nEnvoyé: 3 juin 2025 09:15\nObjet: Order",
    "Carol Jones <carol@example.org>\n06/03/2025 09:15 AM\n\nTo\nAnn Lee <ann@example.org>\ncc\n\nSubject\nOrder",
    "Carol Jones <carol@example.org>\n\n06/03/2025 09:15 AM\nTo\tAnn Lee <ann@example.org>\ncc\nSubject\tOrder",
    "Carol Jones\n06/03/2001 09:15 AM\nTo: Ann Lee/HOU/EX@EX\ncc:  \nSubject: Re: Order",
    "Carol Jones/SALES/EXAMPLE@EXAMPLE\n03.06.2025 09:15\n\nAn\nann@example.org\nKopie\n\nThema\nOrder",
    "Carol Jones ---06/03/2025 09:15:00 AM---Hello Ann, which lamp?\n\nFrom: Carol Jones/SALES\nTo: ann@example.org\n"
    "Date: 06/03/2025 09:15 AM\nSubject: Order",
    "From: Carol <carol@example.org>\nAnfonwyd: 3 Mehefin 2025 09:15\nTo: Ann\nSubject: Order",  # "Sent" in Welsh
    '>>> "Carol Jones" <carol@example.org> 3/6/2025 09:15 >>>',
    ">>> On 6/3/2025 at 9:15 AM, in message\n<4846E0F0.1234@example.org>, Carol Jones <carol@example.org> wrote:",
    '----------------\nКому: Ann;\nТема: Order;\n03.06.2025, 09:15, "Carol Jones" <carol@example.org>:',
]

# Sentences of a human's own that look like what clients write: not a word of them may go.
OWN_WORDS = [
    "On Monday I wrote:\nthe order is wrong.",
    "On 5 May 2025 at 10:00 I wrote to Bob <bob@example.org>:\n\nplease cancel.",
    "On 3 May 2025 your colleague wrote:\n\nWe will refund you.\n\nWhere is my money?",
    "I spoke on 5 May with ann@example.org and she wrote:\nplease cancel.",
    "On 5 May 2025 Bob Smith wrote:\n\nA fine book.\n\nI like it.",
    "In 2024 Bob Smith wrote:\n\nA fine book.\n\nI like it.",
    "Here is what Bob wrote on 5 May 2025:\n\nplease cancel\n\nI agree.",
    "The customer Ann wrote:\n\n> where is it\n\nPlease help.",
    "Please send the 2025 invoice to Bob <bob@example.org>:\nStreet 5\nCity",
    "2 lamps, sent to Ann Lee <ann@example.org>:\n\nStreet 1",
    "The meeting is on 5 May 2025 at 10:00:\nplease come.",
    "Am 5. Mai 2025 um 10:00 Uhr bin ich da.\nBitte bestätigen:\nja / nein",
    "Am 5. Mai 2025 habe ich Bob <bob@example.org> geschrieben:\n\nbitte stornieren",
    'Le client m\'a écrit :\n"deux lampes"\nQue faire ?',
    "You said:\n\n\"two\"\n\nI say three.",
    "Please book:\nFrom: Berlin\nTo: Paris\nDate: 5 May 2025\nSeats: 2",
    "Name: Ann\nFrom: ann@example.org\nDate: 2025-05-05\nSubject: Order\n\ntwo please",
    "From: Ann Customer <ann@example.org>\nSubject: Order\nPhone: 123\nMessage: two please",
    "Flights:\nFrom: Berlin\nTo: Paris\nFrom: Rome\nTo: Oslo\nDate: 5 May 2025\nSubject: holidays",
    "Gesendet: 5. Mai 2025\nVon: Lager\nAn: Kunde\nInhalt: Lampen",
    "Original message was lost.\n\nPlease resend.",
    "---------- Order ----------\n2 lamps\n----- End -----\nThanks",
    "Steps:\n\n- one\n- two\n\nRegards, Ann",
    "The agreement says\n---\nnothing\n---\nabout it.",
    "    indented code\n\tand tab   gaps\n        deep",
    "a > b\nb > c",
    "Thanks.\n>From now on send me two.",
    "> What colour?\n\nBlue.",
    "On 3 June 2025 at 9:15 I wrote to Bob <bob@example.org>:\n> where is it?\n\nNo answer.",
    "See what Bob <bob@example.org> sent on 3 June 2025 at 9:15 about the bill that never came:\n> pay\n\nWhy?",
    "Bob (bob@example.org) told me on 03/06/2025 10:15 to answer as follows:\n> pay\n\nWhy?",
    "Contact: Bob <bob@example.org>, open 9:15-17:00 since 2019:\n> always closed\n\nWhy?",
    "Quoting the manual:\n> press twice\n\nIt fails.",
    "Details:\nNo: 12345\nDate: 3 June 2025\nTo: Ann\nSubject: lamps",
    "Er schrieb Bob <bob@example.org> am 5. Mai 2025:\n> bitte stornieren\n\nWas nun?",
    "El 5 de mayo de 2025 yo escribí a Bob <bob@example.org>:\n> cancelar\n\n¿Por qué?",
    "From: Ann <ann@example.org>\nWhen: 5 May 2025\nTo: Berlin\nSubject: trip",
    "From: Ann <ann@example.org>\nSubject: trip\nFlight: 2025, 10:15\nSeats: 2",
    "Meeting notes\n06/03/2025 09:15 AM\nRoom: 5\nSubject: lamps",
    "Bob Smith\n06/03/2025 09:15 AM\nplease call him",
    "-----\nTo: Bob\nSubject: lamps\nplease write him",
]  # fmt: skip


def header(names: tuple[str, ...], form: str = "{}: ") -> str:
    values = ("Carol Jones <carol@example.org>", "Tuesday, 3 June 2025 09:15", "Ann <ann@example.org>", "Order")
    return "\n".join(form.format(name) + value for name, value in zip(names, values, strict=True))


@pytest.mark.parametrize("attribution", ATTRIBUTIONS)
def test_a_quote_and_who_wrote_it_are_no_part_of_the_reply_above(attribution: str) -> None:
    reply = split(f"{ANSWER}\n\n{attribution}\n\n{QUOTED}\n")
    assert (reply.text, reply.kind, reply.quoted) == (ANSWER, TextKind.TOP, f"{attribution.strip()}\n\n{QUOTED}")


@pytest.mark.parametrize("attribution", ATTRIBUTIONS_OF_QUOTES)
@pytest.mark.parametrize("gap", ["\n", "\n\n"])
def test_a_line_above_a_quote_is_known_in_any_language(attribution: str, gap: str) -> None:
    reply = split(f"{ANSWER}\n\n{attribution}{gap}{QUOTED}\n")
    assert (reply.text, reply.quoted) == (ANSWER, f"{attribution}{gap}{QUOTED}")


def test_a_date_of_the_sender_s_own_is_kept_above_who_wrote() -> None:
    own = "Tuesday 3 June 2025 9:15 works for me"
    assert split(f"{own}\nCarol Jones <carol@example.org> wrote:\n{QUOTED}").text == own


@pytest.mark.parametrize("writer", WRITERS)
def test_a_writer_s_name_may_have_words_that_are_pronouns_elsewhere(writer: str) -> None:
    for attribution in (
        f"On Tue, Jun 3, 2025 at 9:15 AM {writer} <c@example.org> wrote:",
        f"{writer} <c@example.org> schrieb am Di., 3. Juni 2025, 09:15:",
    ):
        assert split(f"{ANSWER}\n\n{attribution}\n\n{OLD}").text == ANSWER
        assert split(f"{attribution}\n{QUOTED}\n\n{ANSWER}").text == ANSWER


@pytest.mark.parametrize(("letters", "is_found"), [(50, True), (280, False)])
def test_lines_with_more_characters_than_an_attribution_are_not_searched(letters: int, *, is_found: bool) -> None:
    """2,000 such candidates, each of five long lines, took 8 s."""
    address = "c" * letters + "@example.org"
    above = f"On Tue, Jun 3, 2025 at 9:15 AM Carol\n<{address}>\n<mailto:{address}>\n<mailto:{address}> wrote:"
    text = f"{ANSWER}\n\n{above}\n\n{OLD}"
    assert split(text).text == (ANSWER if is_found else text)


@pytest.mark.parametrize("above", HEADERS_OF_CLIENTS)
def test_each_client_s_own_header_begins_history(above: str) -> None:
    assert split(f"{ANSWER}\n\n{above}\n\n{OLD}").text == ANSWER


@pytest.mark.parametrize(
    ("rule", "first"),
    [
        ("", "> Message du 03/06/25 09:15\n> De : Carol <carol@example.org>\n> A : ann\n> Objet : Order"),
        ("______________________\n", "> Od: Carol <carol@example.org>\n> Komu: ann\n> Předmět: Order"),
    ],
)
def test_a_header_may_be_quoted_with_what_it_introduces(rule: str, first: str) -> None:
    """As Orange and Centrum.cz do."""
    assert split(f"{ANSWER}\n\n{rule}{first}\n>\n{QUOTED}").text == ANSWER
    assert split(f"{first}\n>\n{QUOTED}\n\n{ANSWER}").text == ANSWER


@pytest.mark.parametrize("attribution", ATTRIBUTIONS)
def test_the_answer_below_a_quote_is_kept(attribution: str) -> None:
    reply = split(f"Hi,\n\n{attribution}\n{QUOTED}\n\n{ANSWER}\n")
    assert (reply.text, reply.kind) == (f"Hi,\n\n{ANSWER}", TextKind.BOTTOM)


@pytest.mark.parametrize("attribution", ATTRIBUTIONS)
def test_history_without_quote_marks_begins_with_who_wrote_it(attribution: str) -> None:
    assert split(f"{ANSWER}\n\n{attribution}\n\n{OLD}\n").text == ANSWER


@pytest.mark.parametrize(
    "attribution",
    [
        "On Tue, Jun 3, 2025 at 9:15 AM Carol Jones with a long Name\n<carol.jones@a-long-host.example.org> wrote:",
        "On Tue, Jun 3,\n2025 at 9:15 AM Carol Jones <carol@example.org> wrote:",
        "On Jun 3, 2025,\nat 9:15,\nCarol Jones <carol@example.org> wrote:",
        "On Jun 3, 2025, at 9:15 AM, Carol <\ncarol@example.org>\nwrote:",
        "Le mar. 3 juin 2025 à 09:15, Carol Jones <carol@example.org> a\nécrit :",
        "tir. 3. jun. 2025 kl. 09:15 skrev Carol Jones <carol@example.org\n>:",
        "On Tue, 3 Jun 2025 at 09:15 Carol Jones\n\n<\nmailto:Carol Jones <carol@example.org>\n> wrote:",
    ],
)
@pytest.mark.parametrize("old", [QUOTED, f"\n{OLD}"])
def test_an_attribution_may_be_wrapped(attribution: str, old: str) -> None:
    assert split(f"{ANSWER}\n\n{attribution}\n{old}").text == ANSWER


@pytest.mark.parametrize("answer", [ANSWER, "Hello.", "yes", "Two lamps", "Hi,", "Yes, two lamps, Ann,"])
def test_an_attribution_may_share_its_line_with_the_reply(answer: str) -> None:
    reply = split(f"{answer} On Tue, Jun 3, 2025 at 9:15 AM, carol@example.org wrote:\n> Old")
    assert (reply.text, reply.quoted) == (answer, "On Tue, Jun 3, 2025 at 9:15 AM, carol@example.org wrote:\n> Old")


@pytest.mark.parametrize("name", ["Carol Jones", "carol", "Carol via Shop <carol@example.org>"])
def test_a_name_and_a_verb_introduce_a_quote(name: str) -> None:
    assert split(f"{name} wrote:\n{QUOTED}\n\n{ANSWER}").text == ANSWER


@pytest.mark.parametrize("language", FIELDS)
@pytest.mark.parametrize("form", ["{}: ", "*{}:* ", "   {}: "])
def test_a_header_in_the_text_begins_history(language: str, form: str) -> None:
    reply = split(f"{ANSWER}\n\n{header(FIELDS[language], form)}\n\n{OLD}")
    assert (reply.text, reply.kind) == (ANSWER, TextKind.TOP)


@pytest.mark.parametrize("rule", ["_" * 32, " ------------------------------", "====", "* * *", "Original Message:"])
def test_a_rule_above_history_is_history(rule: str) -> None:
    reply = split(f"{ANSWER}\n{rule}\n\n{header(FIELDS['en'])}\n\n{OLD}")
    assert (reply.text, reply.quoted.startswith(rule.strip()) or rule[0] == " ") == (ANSWER, True)


def test_an_answer_that_reads_as_a_heading_is_kept() -> None:
    assert split(f"Original message\n\n{header(FIELDS['en'])}\n\n{OLD}").text == "Original message"


def test_a_field_of_a_header_may_be_folded() -> None:
    fields = "From: Human Resources\n<carol@example.org>\nSent: Tuesday\nTo: Ann\nSubject: Order of\nlamps"
    assert split(f"{ANSWER}\n\n{fields}\n\n{OLD}").text == ANSWER


def test_a_header_may_have_empty_lines_between_its_fields() -> None:
    fields = header(FIELDS["en"]).replace("\n", "\n\n")
    assert split(f"{ANSWER}\n\n{fields}\n\n{OLD}").text == ANSWER


def test_a_header_as_it_was_sent_belongs_to_the_text() -> None:
    fields = header(FIELDS["en"])
    above = f"The server said:\n\nReceived: from mx.example.org\nMessage-ID: <1@example.org>\n{fields}\n\nx"
    within = f"The server said:\n\n{fields}\nMIME-Version: 1.0\n\nx"
    assert (split(above).text, split(within).text) == (above, within)


@pytest.mark.parametrize("to", ["", "To: Leeds\n"])
def test_a_form_that_says_when_is_no_header_of_a_quoted_message(to: str) -> None:
    form = f"Please book:\n\nFrom: York\n{to}Departure: 5 May 2025 10:00\nSubject: trip for Ann\nTwo seats, please."
    assert split(form).text == form


@pytest.mark.parametrize("separator", SEPARATORS)
def test_a_separator_begins_history(separator: str) -> None:
    assert split(f"{ANSWER}\n\n{separator}\n{OLD}").text == ANSWER


@pytest.mark.parametrize(
    "text",
    [
        ">>> print(10:15) is what I typed",
        "Yes.\n\n>>> she said it at 9:15\n>> what?\n\nNo.",
        "----- Bob never wrote: that is -----\n\nall.",
        "Please write to bob@example.org:\n- two chairs",
    ],
)
def test_what_only_begins_as_the_line_of_a_client_is_kept(text: str) -> None:
    assert not {word for word in text.replace(">", " ").split() if word not in split(text).text + split(text).quoted}
    assert split(text).text.endswith(text.rsplit("\n", 1)[-1])


@pytest.mark.parametrize("separator", FORWARDS)
@pytest.mark.parametrize("mark", ["", "> "])
def test_a_forward_is_kept_whole(separator: str, mark: str) -> None:
    handed_on = "\n".join(mark + line for line in [separator, *header(FIELDS["en"]).split("\n"), "", "The content"])
    text = f"See below.\n\n-- \nAnn\n\n{handed_on.replace('> \n', '>\n')}"
    reply = split(text)
    assert (reply.kind, reply.text) == (TextKind.FORWARD, text.replace("-- \n", "--\n"))


def test_a_header_that_nothing_stands_above_is_handed_on() -> None:
    text = f"{header(FIELDS['en'])}\n\n{OLD}"
    assert split(text) == Reply(text, TextKind.FORWARD)


@pytest.mark.parametrize(
    ("subject", "kind"),
    [
        *(
            (f"{prefix} Order", "forward")
            for prefix in ("Fwd:", "WG:", "İLT:", "إعادة توجيه:", "[EXTERNAL] FW:", "EXTERNAL: Fwd:", "Fwd[2]:")
        ),
        ("[Fwd: Order]", "forward"),
        *(
            (f"{prefix} Order", "top")
            for prefix in ("Re: Fwd:", "[Lamps] Re: FW:", "Re: [Fwd:", "[Lamps]", "[Lamps] I ask:")
        ),
    ],
)
def test_the_subject_tells_whether_outlook_hands_a_message_on(subject: str, kind: str) -> None:
    message = parsed(
        f"Subject: {subject}\nContent-Type: text/plain; charset=utf-8\n\n{ANSWER}\n\n{header(FIELDS['en'])}\n\n{OLD}"
    )
    assert message.reply_kind == kind
    assert is_forwarded(subject) is (kind == "forward")


@pytest.mark.parametrize("old", [header(FIELDS["en"]), f"{SEPARATORS[0]}\n{header(FIELDS['en'])}"])
def test_what_is_handed_on_is_no_history(old: str) -> None:
    text = f"{ANSWER}\n\n{old}\n\n{OLD}"
    assert split(text, forwarded=True) == Reply(text, TextKind.FORWARD)


@pytest.mark.parametrize("line", TELEPHONES)
def test_the_line_of_a_telephone_is_a_signature(line: str) -> None:
    reply = split(f"{ANSWER}\n\n{line}\n\n{ATTRIBUTIONS[0]}\n{QUOTED}")
    assert (reply.text, reply.signature) == (ANSWER, line)


@pytest.mark.parametrize("sentence", SENTENCES)
def test_a_sentence_that_begins_as_a_telephone_s_line_is_text(sentence: str) -> None:
    assert split(f"{ANSWER}\n\n{sentence}").text == f"{ANSWER}\n\n{sentence}"


@pytest.mark.parametrize("text", OWN_WORDS)
def test_words_that_only_look_like_a_client_s_are_kept(text: str) -> None:
    assert split(text).text == text


@pytest.mark.parametrize("delimiter", ["-- ", "--", "--\xa0"])
@pytest.mark.parametrize("old", ["", f"\n{ATTRIBUTIONS[0]}\n{QUOTED}", f"\n{header(FIELDS['en'])}\n\n{OLD}"])
def test_a_signature_is_told_from_the_text(delimiter: str, old: str) -> None:
    reply = split(f"{ANSWER}\n\n{delimiter}\nAnn Customer\nExample Ltd\n{old}")
    assert (reply.text, reply.signature) == (ANSWER, "Ann Customer\nExample Ltd")


def test_a_line_of_two_dashes_at_the_top_is_a_rule() -> None:
    assert split(f"--\n{ANSWER}\n\n{ATTRIBUTIONS[0]}\n{QUOTED}").text == f"--\n{ANSWER}"


def test_a_line_of_two_dashes_above_many_lines_is_a_rule() -> None:
    text = "First part.\n--\n" + "\n".join(f"Line {number} of the second part." for number in range(20))
    assert (split(text).text, split(text).signature) == (text, "")


def test_the_footer_of_a_mailing_list_is_no_part_of_the_reply() -> None:
    footer = f"{'_' * 47}\nlamps mailing list\nlamps@lists.example\nhttps://lists.example/lamps"
    assert split(f"{ANSWER}\n\n{QUOTED}\n{footer}").text == ANSWER


def test_interleaved_answers_keep_the_lines_that_they_answer() -> None:
    answered = "> What colour?\n\nBlue.\n\n> How many?\n\nTwo."
    reply = split(f"{ATTRIBUTIONS[0]}\n{answered}\n\n> Regards\n> Carol")
    assert (reply.text, reply.kind, reply.quoted) == (
        answered,
        TextKind.INTERLEAVED,
        f"{ATTRIBUTIONS[0]}\n\n> Regards\n> Carol",
    )


def test_lines_that_a_client_wrapped_out_of_a_quote_are_no_answers() -> None:
    quoted = f"> {'a long line of the quote ' * 3}wrapped\nby a client\n> and more"
    assert split(f"{ANSWER}\n\n{ATTRIBUTIONS[0]}\n{quoted}").text == ANSWER


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("I wanted to answer:\n\n> one\n> two\n\nLike this.", "I wanted to answer:\n\n> one\n> two\n\nLike this."),
        ("> only\n> this", "> only\n> this"),
        (f"{ANSWER}\n\n{QUOTED}", ANSWER),
    ],
)
def test_a_quote_that_no_client_introduced_is_kept_unless_it_ends_the_text(text: str, kept: str) -> None:
    assert split(text).text == kept


@pytest.mark.parametrize(
    "text",
    [
        f"{ATTRIBUTIONS[0]}\n{QUOTED}",
        f"> {ATTRIBUTIONS[0]}\n{QUOTED}",
        f"-----Original Message-----\n{header(FIELDS['en'])}\n\n{OLD}",
        f"Sent from my iPhone\n\n{ATTRIBUTIONS[0]}\n{QUOTED}",
        f"-- \nAnn\n\n{ATTRIBUTIONS[0]}\n{QUOTED}",
        f"2025/06/03 Carol Jones <carol@example.org>\n{QUOTED}",
        "Sent from my iPhone\n\n-- REPLY ABOVE THIS LINE --\n\nYour request",
    ],
)
def test_a_reply_is_empty_where_everything_is_history(text: str) -> None:
    assert (split(text).text, split(text).kind) == ("", TextKind.ONLY_HISTORY)


@pytest.mark.parametrize("text", ["-- \nAnn Customer", "Sent from my iPhone"])
def test_a_text_of_a_signature_alone_is_kept(text: str) -> None:
    assert split(text).text == text.replace("-- ", "--")


def test_a_bar_marks_a_quote_too_where_a_client_introduces_it() -> None:
    text = "2025/6/3 Carol via Shop <carol@example.org>\n\n| Old text here.\n| More.\n"
    assert split(f"Hi,\n\n{text}\n{ANSWER}").text == f"Hi,\n\n{ANSWER}"


def test_what_follows_an_attribution_at_the_top_without_a_mark_is_kept() -> None:
    assert split(f"{ATTRIBUTIONS[0]}\n\n{ANSWER}").text == ANSWER
    assert split(f"{ATTRIBUTIONS[0]}\n\n{ATTRIBUTIONS[1]}\n\n{ANSWER}").text == ANSWER


@pytest.mark.parametrize(
    "line",
    [
        "-- REPLY ABOVE THIS LINE --",
        "—-—-—-—\nReply above this line.",
        "##- Please type your reply above this line -##",
        "> -- REPLY ABOVE THIS LINE --",
        "## Bitte antworten Sie oberhalb dieser Zeile ##",
    ],
)
def test_what_a_helpdesk_asks_to_reply_above_is_history(line: str) -> None:
    assert split(f"{ANSWER}\n\nOn 2025-06-03 Carol wrote:\n\n{line}\n\nYour request").text == ANSWER


def test_the_end_of_a_line_goes_and_the_white_space_within_stays() -> None:
    assert split("\n\n  two  spaces \t\n\n\n\ttab\n\n").text == "  two  spaces\n\n\n\ttab"


def test_a_delivery_report_is_left_as_it_is() -> None:
    text = f"Your message was not delivered.\n\n-----Original Message-----\n{header(FIELDS['en'])}"
    message = parsed(
        "Content-Type: multipart/report; boundary=b\n\n--b\n\n"
        + text
        + "\n--b\nContent-Type: message/delivery-status\n\n"
        "Reporting-MTA: dns; mx.example\n\nAction: failed\n--b--"
    )
    assert (message.reply_text, message.quoted_text) == (message.text, "")


def test_a_message_tells_the_parts_of_its_text() -> None:
    message = parsed(f"Subject: x\n\n{ANSWER}\n\n-- \nAnn\n\nCarol Jones <carol@example.org> wrote:\n> Old\n")
    assert (message.reply_text, message.reply_kind, message.signature, message.quoted_text) == (
        ANSWER,
        TextKind.TOP,
        "Ann",
        "Carol Jones <carol@example.org> wrote:\n> Old",
    )


# ---- Any text ----

PIECES = st.one_of(
    st.sampled_from(
        [
            *ATTRIBUTIONS[:12],
            "On Jun 3, 2025,", "at 9:15,", "wrote:", ">:",
            *SEPARATORS[:3],
            *FORWARDS[:1],
            *TELEPHONES[:3],
            *header(FIELDS["en"]).split("\n"),
            "", "", "-- ", "--", "> quoted", ">", ">\x1f", "\u3000", "text", "  text  ", "_" * 40, "x mailing list",
            "reply above this line",
            f"{ANSWER} On Jun 3, 2025 at 9:15 AM, carol@example.org wrote:",
        ]
    ),
    st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), max_size=30),
)  # fmt: skip


@given(st.lists(PIECES, max_size=30), st.booleans())
def test_every_line_of_a_reply_is_one_of_the_text_or_begins_one_in_order(pieces: list[str], forwarded: bool) -> None:
    text = "\n".join(pieces)
    reply = split(text, forwarded=forwarded)
    assert fuzz.begins_lines(reply.text, text)
    assert fuzz.begins_lines(reply.signature, text)
    assert all(line in text for line in reply.quoted.split("\n"))


@given(st.lists(PIECES, max_size=30))
def test_no_letter_goes_anywhere_else(pieces: list[str]) -> None:
    """What is in a text is in its reply, its history or its signature."""
    text = "\n".join(pieces)
    reply = split(text)
    words = re.findall(r"\w+", text)
    parts = sorted(re.findall(r"\w+", "\n".join((reply.text, reply.quoted, reply.signature))))
    assert parts == sorted(words)


@pytest.mark.parametrize("name", [*texts.LINES, *texts.ONE_LINE])
def test_twice_as_many_hostile_lines_take_twice_the_steps(name: str) -> None:
    kind = (texts.LINES | texts.ONE_LINE)[name]
    half, whole = (lines_run(split, texts.of(kind, octets)) for octets in (4_000, 8_000))
    assert whole < 2.5 * half + 1_000


@pytest.mark.slow
@pytest.mark.parametrize("name", [*texts.LINES, *texts.ONE_LINE])
def test_a_megabyte_of_hostile_lines_is_split_in_seconds(name: str) -> None:
    """Three by `python -m bench.texts`; ten times that is far from what a pattern that goes back would take."""
    assert texts.measure(split, (texts.LINES | texts.ONE_LINE)[name])[0] < 30
