"""Values of columns as programs write them, by kind: what stands in a table is known before any reader sees it."""

import random
from collections.abc import Callable
from datetime import datetime, timedelta

Maker = Callable[[random.Random], str]

_BEGIN = datetime(2019, 1, 13, 8, 5, 9)
_MONTHS = {
    "de": ("Jan.", "Feb.", "März", "Apr.", "Mai", "Juni", "Juli", "Aug.", "Sep.", "Okt.", "Nov.", "Dez."),
    "fr": (
        "janvier",
        "février",
        "mars",
        "avril",
        "mai",
        "juin",
        "juillet",
        "août",
        "septembre",
        "octobre",
        "novembre",
        "décembre",
    ),
    "es": (
        "enero",
        "febrero",
        "marzo",
        "abril",
        "mayo",
        "junio",
        "julio",
        "agosto",
        "septiembre",
        "octubre",
        "noviembre",
        "diciembre",
    ),
}


def _amount(before: str = "", after: str = "", *, decimal: str = ".", group: str = "", low: float = -9e4) -> Maker:
    def made(r: random.Random) -> str:
        amount = r.choice([r.uniform(low, 9e4), r.uniform(max(low, -99), 99)])
        shown = f"{abs(amount):,.2f}".replace(",", "\0").replace(".", decimal).replace("\0", group)
        return f"{'-' if amount < 0 else ''}{before}{shown}{after}"

    return made


def _whole(group: str) -> Maker:
    return lambda r: f"{r.choice([r.randrange(999), r.randrange(1_000, 9_999_999)]):,}".replace(",", group)


def _moment(shape: str, *, unpadded: bool = False) -> Maker:
    def made(r: random.Random) -> str:
        moment = _BEGIN + timedelta(minutes=r.randrange(2_600_000))
        shown = moment.strftime(shape)
        return "/".join(part.lstrip("0") for part in shown.split("/")) if unpadded else shown

    return made


def _named(language: str, shape: str) -> Maker:
    def made(r: random.Random) -> str:
        moment = _BEGIN + timedelta(days=r.randrange(1_800))
        return shape.format(d=moment.day, m=_MONTHS[language][moment.month - 1], y=moment.year)

    return made


def _of(*values: str) -> Maker:
    return lambda r: r.choice(values)


def _digits(shape: str) -> Maker:
    """`#` is a digit, `1` one that is not 0."""
    return lambda r: "".join(
        str(r.randrange(10)) if each == "#" else str(r.randint(1, 9)) if each == "1" else each for each in shape
    )


NUMBERS: dict[str, Maker] = {
    "int": lambda r: str(r.randrange(-50, 900)),
    "count": lambda r: str(r.randrange(1, 12_000)),
    "int,": _whole(","),
    "int.": _whole("."),
    "int'": _whole("'"),
    "int_": _whole("\u00a0"),
    "int^": _whole("\u202f"),
    "float": lambda r: f"{r.uniform(-400, 400):.{r.randint(1, 6)}f}",
    "float;": lambda r: f"{r.uniform(-400, 400):.3f}".replace(".", ","),
    "point": lambda r: f"{r.random():.4f}"[1:],
    "sci": lambda r: f"{r.uniform(1, 9.99):.5f}E-{r.randint(2, 19):02}",
    "us": _amount(group=","),
    "de": _amount(decimal=",", group="."),
    "ch": _amount(group="'"),
    "fr": _amount(decimal=",", group="\u00a0"),
    "se": _amount(decimal=",", group=" "),
    "plain,": _amount(decimal=","),
    "$": _amount("$", group=","),
    "£": _amount("£"),
    "€": _amount(after=" €", decimal=",", group="."),
    "EUR": _amount(after=" EUR", decimal=","),
    "kr": _amount(after=" kr", decimal=",", group=" "),
    "R$": _amount("R$ ", decimal=",", group="."),
    "¥": _amount("¥", low=0),
    "zł": _amount(after=" zł", decimal=",", group=" "),
    "Kč": _amount(after=" Kč", decimal=",", group=" "),
    "CHF": _amount("CHF ", group="'", low=0),
    "(us)": lambda r: r.choice(["{}", "({})"]).format(f"{r.uniform(1, 9e4):,.2f}"),
    "sap": lambda r: f"{r.uniform(1, 9e4):.2f}".replace(".", ",") + r.choice(["", "-"]),
    "signed": lambda r: f"{r.choice('+-')}{r.uniform(1, 999):.2f}",
    "%": lambda r: f"{r.uniform(0, 99):.1f}%",
    "% ,": lambda r: f"{r.uniform(0, 99):.1f} %".replace(".", ","),
    "big": _digits("1" + "#" * 17),
    "year": lambda r: str(r.randint(1950, 2024)),
    "lat": lambda r: f"{r.uniform(-89, 89):.6f}",
    "lon": lambda r: f"{r.uniform(-179, 179):.6f}",
    "indian": lambda r: f"{r.randint(1, 99)},{r.randint(10, 99)},{r.randint(100, 999)}.50",
}
DATES: dict[str, Maker] = {
    "iso": _moment("%Y-%m-%d"),
    "isot": _moment("%Y-%m-%d %H:%M:%S"),
    "isoT": _moment("%Y-%m-%dT%H:%M:%SZ"),
    "iso+": _moment("%Y-%m-%d %H:%M:%S +0000"),
    "isoms": _moment("%Y-%m-%dT%H:%M:%S.250+02:00"),
    "y/m/d": _moment("%Y/%m/%d"),
    "hu": _moment("%Y.%m.%d."),
    "kr": _moment("%Y. %m. %d."),
    "d.m.y": _moment("%d.%m.%Y"),
    "d.m.yy": _moment("%d.%m.%y"),
    "d.m.yt": _moment("%d.%m.%Y %H:%M"),
    "d/m/y": _moment("%d/%m/%Y"),
    "d-m-y": _moment("%d-%m-%Y"),
    "m/d/y": _moment("%m/%d/%Y"),
    "m/d/yu": _moment("%m/%d/%Y", unpadded=True),
    "m/d/yt": _moment("%m/%d/%Y %I:%M:%S %p"),
    "d-b-y": _moment("%d-%b-%Y"),
    "d b y": _moment("%d %b %Y"),
    "b d, y": _moment("%B %d, %Y"),
    "a, d b y": _moment("%a, %d %b %Y"),
    "fr": _named("fr", "{d} {m} {y}"),
    "es": _named("es", "{d} de {m} de {y}"),
    "de": _named("de", "{d}. {m} {y}"),
    "clock": _moment("%H:%M"),
    "clocks": _moment("%H:%M:%S"),
}
TRUTH: dict[str, Maker] = {
    "true": _of("true", "false"),
    "TRUE": _of("TRUE", "FALSE"),
    "True": _of("True", "False"),
    "yes": _of("Yes", "No"),
    "y": _of("Y", "N"),
    "ja": _of("Ja", "Nein"),
    "oui": _of("oui", "non"),
    "sim": _of("Sim", "Não"),
    "tak": _of("tak", "nie"),
    "WAHR": _of("WAHR", "FALSCH"),
}
TEXTS: dict[str, Maker] = {
    "city": _of("Bern", "Aarau", "Oslo", "Turin", "Lyon", "Reykjavik"),
    "word": _of("red", "green", "blue", "grey"),
    "person": _of("Ann Archer", "Bob O'Neill", "Maria de la Cruz", "Xi Li", "J. R. Smith"),
    "person,": _of("Archer, Ann", "O'Neill, Bob", "Smith, J. R.", "Li, Xi"),
    "westerner": _of("Jörg Müller", "Zoë Weiß", "Françoise Hébert", "Íñigo Peña", "Åsa Øst"),
    "german": _of("Größe", "Übergabe", "Nürnberg", "Straße 5", "Bäckerei Süß"),
    "french": _of("Forêt", "Pâté", "Où ça", "Noël", "Île"),
    "spanish": _of("Peñíscola", "Año nuevo", "Logroño", "Íñigo", "¿Qué?"),
    "czech": _of("Plzeň", "Žďár", "Ústí", "Třebíč", "Hůrka"),
    "polish": _of("Łódź", "Gdańsk", "Zażółć gęślą", "Święty", "Rzeszów"),
    "hungarian": _of("Győr", "Pécs", "Székesfehérvár", "Őrség", "Tűzoltó"),
    "russian": _of("Москва", "Санкт-Петербург", "Оплата услуг", "Возврат", "Ёлка"),
    "greek": _of("Αθήνα", "Πάτρα", "Θεσσαλονίκη", "Οδός 5"),
    "turkish": _of("İstanbul", "Şırnak", "Eskişehir", "Muğla", "Iğdır"),
    "hebrew": _of("ירושלים", "תל אביב", "חיפה", "באר שבע"),
    "arabic": _of("القاهرة", "الرياض", "بيروت", "دمشق"),
    "japanese": _of("東京都", "大阪府", "注文番号", "カタログ", "北海道"),
    "chinese": _of("北京市", "上海市", "支付成功", "交易关闭", "广州市"),
    "korean": _of("서울", "부산", "입금", "출금", "인천"),
    "thai": _of("กรุงเทพ", "เชียงใหม่", "ภูเก็ต"),
    "email": lambda r: f"user{r.randrange(9_999)}@shop.example",
    "url": lambda r: f"https://shop.example/a?b={r.randrange(99)}&c=1,2",
    "phone": _digits("+49 1# 1######"),
    "phoneus": _digits("(21#) 555-01##"),
    "zip0": _digits("0####"),
    "iban": _digits("DE1#1#######0#########"),
    "sku": _digits("A-1##"),
    "version": _digits("1.#.1"),
    "ip": _digits("10.1#.1#.1"),
    "isbn": _digits("978-3-1#-######-#"),
    "hex": lambda r: f"{r.getrandbits(64):016x}x",
    "range": lambda r: f"{r.randrange(9)}-{r.randrange(10, 99)}",
    "kg": lambda r: f"{r.randrange(1, 99)} kg",
    "code3": _of("CHE", "NOR", "ITA", "FRA", "ISL"),
    "currency": _of("EUR", "USD", "CHF"),
    "cabin": _of("E5", "C85", "E46", "B12"),
    "note": _of("", "", "fragile", "call before noon"),
    "lines": _of("first\nsecond", "one", "a\nb, c", "two"),
    "html": _of("<b>new</b>", "a &amp; b", "plain"),
    "quoted": _of('say "hi"', "plain", 'a "b" c', "none of it"),
    "inch": _of('5" pipe', '7" tube', "rod"),
    "semi": _of("a; b", "c; d; e", "f"),
    "pipes": _of("a|b", "c", "d|e|f"),
    "long": _of(
        "Goods, as ordered; sent on Monday", "See the note, please", "Refund (partly), 3 items", "Nothing to say"
    ),
    "json": _of('{"a": 1, "b": [2, 3]}', '{"a": 2}', "{}"),
    "letter": _of("A", "B", "C", "K"),
    "account": _digits("123456789/0##0"),
    "formula": _of("=SUM(A1)", "+cmd", "@here", "fine"),
    "hash": _of("#1", "#22", "none left", "#3"),
}
EMPTY: dict[str, Maker] = {"none": _of("")}
KINDS: dict[str, dict[str, Maker]] = {"number": NUMBERS, "date": DATES, "boolean": TRUTH, "text": TEXTS, "empty": EMPTY}
