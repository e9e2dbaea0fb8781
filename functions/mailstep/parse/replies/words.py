"""The words of mail clients, by what they announce: tables alone, in 18 languages and more; longer than 300 lines.

They were collected from what Gmail, Outlook, Apple Mail, Thunderbird, Yahoo, Zoho, Notes and the webmailers of
single countries put into a reply. All are in the form of `str.casefold`, with an apostrophe as `'`.
"""


def _phrases(table: str) -> tuple[str, ...]:
    """The phrases of a table, in which `|` separates them and a line may end within one."""
    return tuple(" ".join(phrase.split()) for phrase in table.split("|"))


VERBS = _phrases(
    """
    wrote | writes | has written | schrieb | schrieben | geschrieben | schreibt | a écrit | écrit | a ecrit |
    écrivait | escribió | escribio | ha escrito | escribe | ha escrit | va escriure | missatge de | ha scritto |
    scrisse | scrive | escreveu | escreve | schreef | het volgende geschreven | volgende geschreven | geschreven |
    schrijft | skrev | skrev följande | skrev følgende | skriver | kirjoitti | kirjutas | napisał(a) | napisał |
    napisała | napisana przez | pisze | napsal(a) | napsal | napsala | píše | napísal(a) | napísal | napísala |
    ezt írta | írta | ezt írtad | a scris | şunu yazdı | şunları yazdı | yazdı | yazmış | έγραψε | εγραψε |
    написал(а) | написал | написала | пишет | написав(ла) | написав | пише | написа | је написао | је написала |
    je napisao | je napisala | je napisao/la | napisao je | napisala je | napisao/la je | je napisal | napisal(a) |
    napisala | је написао/ла | rašė | rakstīja | geskryf | escribiu | skrifaði | idatzi du | sinulat ni | লিখেছেন |
    எழுதியது | đã viết | viết | menulis | כתב | כתבה | מאת | كتب | كتبت | تمت كتابة ما يلي بواسطة | نوشت |
    เขียนว่า | เขียน | ने लिखा | skreiv | shkroi | напиша | жазды | бичсэн нь | aliandika | wabhala ukuthi |
    ysgrifennodd | isinulat ni | գրել է | წერს | نے لکھا
    """
)
"""What an attribution says that its writer did."""

VERBS_WITHOUT_SPACES = _phrases(
    """
    写道 | 寫道 | 撰写 | 书写 | のメッセージ | 書きました | が書いた | からのメッセージ | 작성 | 님이 작성 |
    님이 쓴 글 | 이(가) 쓴 글 | 님이 썼습니다 | のメール
    """
)
"""The same in writing that has no spaces between words."""

QUOTING = _phrases(
    """
    quoting | zitat von | zitiere | citando | citando a | citation de | citeren van | cytowanie | cituji |
    idézet | цитирую | цитат
    """
)
"""What a webmailer writes before the writer's name, without a date (Horde, Roundcube)."""

STARTERS = _phrases(
    """
    on | at | in | from | am | den | dem | no dia | le | el | em | il | il giorno | in data | op | på | w dniu |
    dnia | dne | dňa | în data de | în | pe | na | στις | την | τη | vào | vào lúc | pada | missatge de | von | de |
    da | на | у | в | от | від | 在 | 於 | 于 | בתאריך | ב | في | بتاريخ | در | เมื่อ
    """
)
"""How an attribution begins where it begins with neither a date nor a name."""

NAME_PARTICLES = frozenset(
    _phrases(
        """
        dia | dl | dt | dc | dj | dv | ds | dg | π.μ | μ.μ | von | van | de | der | den | ter | ten | di | da | do |
        dos | das | del | della | du | la | le | los | el | al | bin | ibn | ben | via | and | und | et | e | y | i |
        og | och | at | from | on | am | op | em | il | på | w | dniu | dnia | dne | dňa | în | na | у | в | г | р |
        r | p | о | o | om | kl. | kl | klo | ob | um | uhr | às | a | las | alle | ore | à | ο | χρήστης |
        użytkownik | odesílatel | пользователь | користувач | user | gmt | utc | est | cet | cest | you | sie | ihr |
        vous | tu | usted | ustedes | lei | voi | você | je | u | jij | ni | te | ön | вы | ты | ви | heeft | het |
        skriver | pm | a.m. | p.m. | of | med | phil | rer | nat | jur | ing | dipl
        """
    )
)
"""Words that stand in lower case beside a writer's name or the date of an attribution."""

PRONOUNS = frozenset(
    _phrases(
        """
        i | he | she | they | we | it | who | which | that | ich | er | wir | man | jemand | elle | nous | ils |
        elles | qui | yo | él | ella | ellos | nosotros | quien | io | lui | loro | noi | chi | eu | ele | ela |
        eles | nós | quem | ik | hij | zij | wij | wie | jag | han | hon | vi | jeg | hun | ja | ona | my | oni | já |
        я | он | она | мы | они | j'ai | avons | habe | haben | i've | i'd
        """
    )
)
"""Words that stand for a writer in a sentence of the human's own, never in an attribution."""

FIELDS = {
    "from": _phrases(
        """
        expeditorul | 送信元 | 發件人 | from | von | de | da | de la | van | från | fra | lähettäjä | od | feladó |
        от | от кого | від | gönderen | kimden | 差出人 | 送信者 | 发件人 | 发信人 | 寄件者 | 寄件人 | 보낸 사람 |
        보낸사람 | 보낸이 | από | מאת | من | expéditeur | expéditrice | expeditor | mittente | remitente | remetente |
        absender | afzender | avsender | avsändare | afsender | odesílatel | odosielateľ | nadawca | saatja |
        người gửi | từ | dari | daripada | จาก | pošiljatelj | šalje | nuo | od koga | од | از | فرستنده |
        प्रेषक | 발신 | 발신자 | 발신인 | 發信人 | 寄信人 | frá | frå
        """
    ),
    "date": _phrases(
        """
        dată | gönderilen | sent | date | sent on | date sent | gesendet | gesendet am | datum | verschickt |
        envoyé | envoyé le | date d'envoi | message du | enviado | enviado el | enviado em | enviados | enviadas |
        enviada | enviada em | enviada a | fecha | fecha de envío | data | data de envio | inviato | inviata |
        data invio | verzonden | verzonden op | verstuurd | skickat | sendt | dato | lähetetty | päivämäärä |
        päiväys | päivä | wysłano | wysłane | data wysłania | odesláno | odoslané | dátum | elküldve | küldve |
        отправлено | дата | надіслано | відправлено | gönderildi | gönderilme tarihi | gönderim tarihi | tarih |
        送信日時 | 送信日 | 日付 | 日時 | 发送时间 | 时间 | 日期 | 傳送時間 | 寄件日期 | 發送時間 | 보낸 날짜 |
        보낸날짜 | 날짜 | στάλθηκε | ημερομηνία | απεστάλη | נשלח | תאריך | تاريخ | التاريخ | تم الإرسال | أرسلت |
        trimis | trimis la | đã gửi | ngày | tanggal | dikirim | วันที่ | ส่ง | ส่งแล้ว | poslano | saadetud |
        kuupäev | изпратено | nosūtīts | datums | išsiųsta | poslato | послато | испратено | enviat | enviat el |
        ارسال شده | ارسال‌شده | تاریخ | प्रेषित | भेजा गया | दिनांक | dihantar | gestuur | 发送日期 | 發送日期 |
        发件时间 | 寄件時間 | 送信時刻 | 보낸 시간 | 보낸 일시 | 발신 시간
        """
    ),
    "to": _phrases(
        """
        destinatarul | adresat | pre | 送信先 | to | an | à | a | para | aan | till | til | vastaanottaja | do |
        komu | címzett | кому | на | kime | alıcı | 宛先 | 收件人 | 收件者 | 收信人 | 받는 사람 | 받는사람 |
        받는이 | προς | אל | إلى | الى | către | catre | pentru | đến | kepada | destinataire | destinatario |
        destinatário | empfänger | ถึง | za | за | prima | adresát | saaja | adressaat | kellele | kam | до | per a |
        به | گیرنده | प्रति | 수신 | 수신자 | 수신인 | 받은 사람
        """
    ),
    "cc": _phrases(
        """
        cc | kopie | kopie an | copie | copie à | copia | cópia | kopia | kopi | kopio | kópia | másolat |
        másolatot kap | копия | копія | bilgi | 抄送 | 副本 | 참조 | κοιν. | κοινοποίηση | עותק | نسخة | dw | dw. |
        c.c. | tembusan | สำเนา
        """
    ),
    "bcc": _phrases(
        """
        bcc | blindkopie | cci | cco | ccn | 密送 | 숨은 참조
        """
    ),
    "subject": _phrases(
        """
        subiectul | předmět zprávy | subject | betreff | betrifft | objet | sujet | asunto | assunto | oggetto |
        onderwerp | ämne | emne | aihe | temat | předmět | predmet | tárgy | тема | относно | konu | 件名 | 主题 |
        主旨 | 主題 | 标题 | 標題 | 제목 | θέμα | נושא | الموضوع | موضوع | subiect | chủ đề | subjek | perihal |
        tema | assumpte | หัวเรื่อง | เรื่อง | naslov | наслов | zadeva | teema | temats | tēma | विषय | efni |
        thema
        """
    ),
    "reply-to": _phrases(
        """
        reply-to | reply to | antwort an | antworten an | répondre à | responder a | responder para | rispondi a |
        risposta | antwoord aan | beantwoorden | svar till | svar til | vastaus | odpowiedź do | ответить | 返信先 |
        回复 | 답장
        """
    ),
    "other": _phrases(
        """
        attachments | attachment | anlagen | anlage | anhänge | pièces jointes | pièce jointe | allegati | allegato |
        adjuntos | datos adjuntos | anexos | bijlagen | bilagor | vedhæftede filer | vedlegg | liitteet | załączniki |
        přílohy | вложения | 添付ファイル | 附件 | 첨부 파일 | importance | wichtigkeit | priorität | priority |
        priorité | importancia | importância | importanza | prioridad | prioridade | priorità | prioriteit |
        urgentie | vigtighed | prioritet | sensitivity | vertraulichkeit | organization | 重要度 | 重要性 | sender |
        resent-from | mailed-by | newsgroups | followup-to | sent by | on behalf of
        """
    ),
}
"""The fields of a header that a client puts above what it quotes, by their kind."""

ORIGINAL = frozenset(
    _phrases(
        """
        original message | original | original email | original e-mail | original mail | original appointment |
        reply message | previous message | ursprüngliche nachricht | urspruengliche nachricht | originalnachricht |
        original-nachricht | original nachricht | originalmeldung | antwort nachricht | ursprünglicher termin |
        ursprüngliche e-mail | ursprüngliche mail | originale nachricht |
        message d'origine | message original | message initial | courriel original |
        mail original | mensaje original | correo original | missatge original | messaggio originale |
        messaggio di origine | mensagem original | e-mail original | oorspronkelijk bericht |
        oorspronkelijk e-mailbericht | origineel bericht | originele bericht | origineel e-mailbericht |
        ursprungligt meddelande | originalmeddelande | originalmeddelelse | oprindelig meddelelse |
        oprindelig besked | den oprindelige meddelelse | opprinnelig melding | originalmelding | original melding |
        opprinnelig e-post | alkuperäinen viesti | wiadomość oryginalna | oryginalna wiadomość | wiadomość pierwotna |
        wiadomość źródłowa | původní zpráva | puvodni zprava | původní e-mail | pôvodná správa | pôvodná sprava |
        eredeti üzenet | eredeti levél | mesaj original | mesajul original | mesaj iniţial | özgün ileti |
        orijinal ileti | orijinal mesaj | исходное сообщение | оригинальное сообщение | первоначальное сообщение |
        пересылаемое исходное сообщение | оригінальне повідомлення | початкове повідомлення | вихідне повідомлення |
        оригинално съобщение | izvorna poruka | originalna poruka | изворна порука | оригинална порука |
        izvirno sporočilo | αρχικό μήνυμα | αυθεντικό μήνυμα | πρωτότυπο μήνυμα | 原始邮件 | 原始郵件 | 原邮件 |
        原始信件 | 原始消息 | 原始訊息 | 回复的原邮件 | 回复的邮件 | 元のメッセージ | 元のメール |
        オリジナルメッセージ | 原本 | 원본 메시지 | 원본 메일 | 원본메시지 | 원본 이메일 | הודעה מקורית |
        ההודעה המקורית | الرسالة الأصلية | رسالة أصلية | الرسالة الاصلية | پیام اصلی | thư gốc | tin nhắn gốc |
        pesan asli | pesan asal | ข้อความต้นฉบับ | ข้อความเดิม | मूल संदेश | algne kiri | algne sõnum |
        originalus laiškas | oriģinālais ziņojums
        """
    )
)
"""What a line of dashes says above a message that is answered."""

FORWARDED = frozenset(
    _phrases(
        """
        începe mesajul redirecționat | vidarebefordrat mejl | メッセージを転送 | wiadomość przesłana dalej |
        treść przekazanej wiadomości | перенаправленное сообщение | iletilen ileti | iletilen e-posta |
        preposlaná správa --- forwarded message | forwarded message | forwarded mail | forwarded email |
        forwarded by | begin forwarded message | start of forwarded message | forward message |
        original forwarded message | weitergeleitete nachricht | anfang der weitergeleiteten nachricht |
        beginn der weitergeleiteten nachricht | weitergeleitete e-mail | weitergeleitet von | message transféré |
        message transmis | courriel transféré | message réexpédié | début du message réexpédié |
        début du message transféré | transféré par | mensaje reenviado | mensaje enviado |
        inicio del mensaje reenviado | correo reenviado | reenviado por | missatge reenviat | messaggio inoltrato |
        inizio messaggio inoltrato | inizio del messaggio inoltrato | messaggio inoltrato da |
        mensagem encaminhada | mensagem reencaminhada | início da mensagem reencaminhada |
        início da mensagem encaminhada | encaminhado por | doorgestuurd bericht | begin doorgestuurd bericht |
        doorgezonden bericht | doorgestuurd door | vidarebefordrat meddelande | vidarebefordrat brev |
        vidarebefordrat e-postmeddelande | videresendt meddelelse | start på videresendt besked |
        videresendt besked | videresendt melding | videresendt e-post | start på videresendt melding |
        välitetty viesti / fwd.msg | välitetty viesti | välitetty viesti alkaa | edelleenlähetetty viesti |
        przekazana wiadomość | wiadomość przekazana dalej | początek przekazywanej wiadomości |
        przesłana wiadomość | przeposlaná zpráva | přeposlaná zpráva | preposlaná správa |
        začátek přeposílané zprávy | začiatok preposlanej správy | továbbított üzenet | továbbított levél |
        mesaj redirecționat | mesaj redirecţionat | forwardované | iletilen mesaj | yönlendirilmiş mesaj |
        iletilmiş mesaj | пересылаемое сообщение | пересланное сообщение | начало переадресованного сообщения |
        переслане повідомлення | переслано | перенаправлене повідомлення | препратено съобщение |
        προωθημένο μήνυμα | μήνυμα που προωθήθηκε | proslijeđena poruka | prosleđena poruka | 转发的邮件 |
        转发邮件 | 转发邮件信息 | 转发的信件 | 轉寄的郵件 | 轉寄郵件 | 已轉寄的郵件 | 転送メッセージ |
        転送されたメッセージ | 転送されたメール | 転送メール | 전달된 메시지 | 전달된 메일 | הודעה שהועברה |
        הודעה מועברת | رسالة معاد توجيهها | رسالة مُعاد توجيهها | الرسالة المحولة | chuyển tiếp | thư chuyển tiếp |
        tin nhắn được chuyển tiếp | pesan terusan | pesan yang diteruskan | ข้อความที่ส่งต่อ | अग्रेषित संदेश |
        edastatud kiri
        """
    )
)
"""What a line says above a message that is handed on."""

BEGIN_FORWARDED = frozenset(
    _phrases(
        """
        începe mesajul redirecționat | vidarebefordrat mejl | forwarded message | begin forwarded message |
        start of forwarded message | anfang der weitergeleiteten nachricht | beginn der weitergeleiteten nachricht |
        début du message réexpédié | début du message transféré | inicio del mensaje reenviado |
        inizio messaggio inoltrato | inizio del messaggio inoltrato | início da mensagem reencaminhada |
        início da mensagem encaminhada | begin doorgestuurd bericht | vidarebefordrat brev |
        start på videresendt besked | videresendt besked | videresendt melding | start på videresendt melding |
        välitetty viesti alkaa | początek przekazywanej wiadomości | začátek přeposílané zprávy |
        začiatok preposlanej správy | начало переадресованного сообщения
        """
    )
)
"""Those that stand in a line alone, without dashes, with a colon at the end (Apple Mail)."""

REPLY_ABOVE = _phrases(
    """
    reply above this line | reply above the line | type your reply above | write your reply above |
    write above this line | type above this line | enter your reply above | respond above this line |
    reply above to respond | oberhalb dieser zeile | oberhalb dieser linie | über dieser zeile antworten |
    über dieser linie | au-dessus de cette ligne | au dessus de cette ligne | por encima de esta línea |
    sobre esta línea | encima de esta línea | acima desta linha | sopra questa riga | sopra questa linea |
    boven deze lijn | boven deze regel | ovanför denna rad | ovanför den här raden | over denne linje |
    over denne linjen | tämän rivin yläpuolelle | powyżej tej linii | nad tą linią | nad tento řádek |
    nad tímto řádkem | выше этой строки | выше этой линии | над этой чертой | bu satırın üstüne | e sor fölé |
    この行より上 | 请在此行上方 | 請在此行上方 | 이 줄 위에 | πάνω από αυτή τη γραμμή
    """
)
"""What a helpdesk puts above its message, for its users to write above it."""

MOBILE = _phrases(
    """
    sent from | sent via | sent with | sent using | from my | envoyé de | envoyé depuis | envoyé à partir |
    envoyé avec | envoyé via | envoyé par | télécharger outlook | obtenir outlook | obtenez outlook | gesendet von |
    gesendet mit | gesendet über | gesendet via | von meinem | von meiner | von unterwegs |
    diese nachricht wurde von | diese nachricht wurde mit | outlook für | holen sie sich outlook |
    laden sie outlook | erhalten sie outlook | enviado desde | enviado con | enviado por | enviado através |
    enviado de | enviado do | enviado a partir | enviado via | enviado pelo | enviado com | enviat des |
    obtener outlook | obter outlook | obtenga outlook | descargar outlook | inviato da | inviato dal | inviato con |
    inviato tramite | scarica outlook | ottieni outlook | verzonden vanaf | verzonden met | verzonden via |
    verstuurd vanaf | verstuurd met | verstuurd via | outlook downloaden | outlook voor | skickat från |
    skickat via | skickat med | sendt fra | sendt via | sendt med | hämta outlook | hent outlook | få outlook |
    last ned outlook | skaffa outlook | lähetetty | hanki outlook | wysłane z | wysłano z | wysłano przez |
    wyślij z | wysłane przy | pobierz aplikację outlook | pobierz program outlook | odesláno z | odesláno ze |
    odoslané z | odoslané zo | získejte outlook | získajte outlook | elküldve | küldve | az iphone-omról |
    az outlook | trimis de | trimis din | obțineți outlook | отправлено с | отправлено из | отправлено от |
    послано с | надіслано з | відправлено з | изпратено от | скачать outlook | скачайте outlook |
    загрузить outlook | poslano s | poslano z | послато са | στάλθηκε από | απεστάλη από | αποστολή από | נשלח מ |
    נשלח מה | أُرسلت من | أرسلت من | تم الإرسال من | أُرسل من | được gửi từ | đã gửi từ | gửi từ | dikirim dari |
    ส่งจาก | 发自 | 發自 | 发送自 | 來自 | 来自 | 從我的 | 从我的 | 寄自 | 傳送自 | 통해 | 나의 | 내 |
    get outlook for | get [outlook for | download outlook | obtener [outlook | outlook para | outlook pour |
    outlook per | outlook pro | outlook dla | outlook til | outlook till | obter o outlook | verzonden vanuit |
    skickades från | ios 版 outlook | android 版 outlook | получить outlook | 取得 ios | 取得 android | ios용 |
    android용 | yahoo mail
    """
)
"""How the line of a telephone or an app begins."""

MOBILE_ENDINGS = _phrases(
    """
    gesendet | gesendet. | から送信 | より送信 | から送信されました | で送信 | 傳送 | 传送 | 发送 | 發送 |
    에서 보냄 | 에서 보냈습니다 | 에서 보낸 메일 | 으로 보냄 | 에서 발송 | kaynağından gönderildi | dan gönderildi |
    を入手 | den gönderildi | ımdan gönderildi | imden gönderildi | umdan gönderildi | ile gönderildi |
    cihazımdan gönderildi | küldve | ről küldve | ról küldve | for ios | for android | saadetud | işlətildi
    """
)
"""How it ends, in languages whose verb stands last."""

MOBILE_SUBJECTS = frozenset(
    _phrases(
        """
        iphone | ipad | ipod | android | blackberry | samsung | galaxy | htc | nokia | lumia | huawei | honor |
        xiaomi | redmi | oneplus | oppo | vivo | pixel | nexus | motorola | sony | xperia | lg | wiko | alcatel |
        verizon | sprint | palm | treo | phone | telephone | smartphone | mobile | mobil | mobiltelefon | cell |
        cellphone | handy | handheld | tablet | smarttelefon | mobilgerät | mobiltelefonen | telefon | telefono |
        teléfono | telefone | móvil | movil | celular | cellulare | téléphone | portable | mobiel | mobiele |
        telefoon | mobilen | puhelin | puhelimesta | telefonu | telefonem | iphonesta | iphonu | iphone'a | device |
        laptop | mac | macbook | imac | pc | windows | outlook | gmail | mailbox | yahoo | hotmail | aol | gmx |
        webmail | proton | protonmail | tutanota | airmail | superhuman | bluemail | typeapp | polymail | mailspring |
        boxer | thunderbird | fairemail | spark | canary | edison | mymail | dispositivo | zoho | missive | acompli |
        ios | телефона | телефон | устройства | смартфона | айфона | айпада | почты
        """
    )
)
"""What such a line names: a device, a system or a program. Without one, a line that begins so is a sentence."""

MOBILE_OWNERS = frozenset(
    _phrases(
        """
        my | mein | meinem | meiner | mon | ma | mi | mis | mio | meu | minha | mijn | min | mojego | mého |
        moj | môjho | моего | моей | moim | minun
        """
    )
)
"""Whose device it is: after one of these, any name is taken for a device."""

MOBILE_OTHER_WORDS = frozenset(
    _phrases(
        """
        gesendet | gerät | küldve | gönderildi | kaynağından | cihazımdan | saadetud | any | my | a | an | the | for |
        on | via | with | using | work | mail | email | app | wireless | smart | mobile | von | vom | meinem |
        meiner | mit | für | über | aus | mon | ma | depuis | de | du | pour | avec | sur | mi | mis | con | para |
        desde | dal | mio | il | per | su | tramite | do | da | meu | minha | pelo | vanaf | mijn | voor | met | op |
        min | från | fra | til | med | mitt | z | ze | zo | s | mého | mojego | môjho | с | из | моего | моей | від |
        diese | nachricht | wurde | за | from | der | auf | secure | beziehen | omról | ul | pe | del | des | το |
        μου | của | tôi | dari | saya | mog | mojega | моя | для | мобильной | lle | för | dla | systemu | program |
        o | l'application | post | pro | aplikacji | を入手 | appareil | messagerie | sécurisée | la | no | new | all |
        most | network | laden | sovelluksesta | мобильного | приложения | ru | мого | 받기 | 版
        """
    )
)
"""What else stands in such a line in lower case."""

MOBILE_EXCUSES = _phrases(
    """
    please | excuse | pardon | sorry | apolog | typo | bitte | entschuldig | merci | veuillez | disculp | perdon |
    scus | forgive | brevity | autocorrect | get the app
    """
)
"""What may follow a full stop in such a line."""

LIST_FOOTERS = _phrases(
    """
    mailing list | /listinfo | @lists. | @googlegroups. | groups.google. | unsubscribe | mailman | list- | /mailman
    """
)
"""What stands below the rule that a mailing list puts under every message."""

FORWARDING_SUBJECTS = frozenset(
    _phrases(
        """
        fw | fwd | wg | tr | rv | enc | i | inoltra | doorst | vb | vs | vl | vbs | videresend | videresendt |
        redir. | redir | pd | fs | továbbítás | пересл | ilt | yön | 转发 | 轉寄 | 転送 | 전달 | הועבר | إعادة | ιπρ |
        πρθ | إعادة توجيه | trs | prt | yml | přeposl | preposl | edasi | transfert
        """
    )
)
"""What a client puts before the subject of a message that it hands on, without the colon."""
