"""Tables after the shapes of files that programs, banks and offices export, and what a person reads in each.

Each shape is named after the export that it follows: its delimiter, encoding, notation, titles, remarks and marks for
missing values. All names and amounts are made up. Over 300 lines, most of which are the shapes.
"""

import csv
import io
import random
from collections.abc import Iterator
from dataclasses import dataclass

from tests.support.table_values import KINDS


@dataclass(frozen=True)
class Exported:
    """A file, and what a person reads in it."""

    shape: str
    content: bytes
    header: tuple[str, ...] | None
    kinds: list[str]
    rows: list[list[str]]


@dataclass(frozen=True)
class Shape:
    """How a program writes a table.

    `columns` are `name=kind:values`, with `?mark` behind those that may be missing. `above` and `below` are lines
    around the table; in `below`, `{sums}` is a row of sums.
    """

    name: str
    columns: str
    delimiter: str = ","
    encoding: str = "utf-8"
    end: str = "\r\n"
    header: bool = True
    above: tuple[str, ...] = ()
    below: tuple[str, ...] = ()
    quoting: int = csv.QUOTE_MINIMAL
    pad: str = ""
    trailing: bool = False


ALL = csv.QUOTE_ALL
WORLD_BANK = ('"Data Source","World Development Indicators",', "", '"Last Updated Date","2024-10-24",', "")
MBANK = (
    "mBank S.A. Bankowość Detaliczna;",
    "Skrytka Pocztowa 2108;",
    "90-959 Łódź 2;",
    "www.mBank.pl;",
    "",
    "#Klient;",
    "Jan Kowalski;",
    "",
    "Lista operacji;",
    "",
    "#Za okres:;01.01.2024;31.12.2024",
    "",
    "#Waluta;",
    "PLN;",
)
SHAPES = [
    Shape(
        "fivethirtyeight",
        "year=number:year|title=text:long|budget=number:count?|clean_test=text:word|domgross=number:big?#N/A",
        end="\n",
    ),
    Shape(
        "vega weather",
        "location=text:city|date=date:iso|precipitation=number:float|temp_max=number:float|weather=text:word",
        end="\n",
    ),
    Shape("vega unemployment", "id=number:count|rate=number:point", "\t", end="\n"),
    Shape(
        "openflights airports",
        "=number:count|=text:person|=text:city|=text:code3?\\N|=number:lat|=number:lon|=number:int|=text:letter",
        header=False,
        end="\n",
    ),
    Shape(
        "openflights flights",
        "Date=date:isot|From=text:code3|To=text:code3|Distance=number:count|"
        "Duration=date:clock|Seat=text:cabin|Note=text:note",
        encoding="utf-8-sig",
        end="\n",
    ),
    Shape(
        "openflights routes",
        "=text:letter|=number:count|=text:code3|=number:count|=text:code3|=number:int",
        header=False,
        end="\r",
    ),
    Shape(
        "titanic",
        "PassengerId=number:count|Name=text:person,|Sex=text:word|Age=number:int?|"
        "Ticket=text:sku|Fare=number:float|Cabin=text:cabin?",
        end="\n",
    ),
    Shape(
        "countries",
        "name=text:person|cca2=text:letter|latlng=text:lines|independent=boolean:true|area=number:float",
        ";",
        end="\n",
        quoting=ALL,
    ),
    Shape(
        "NHS spending",
        "Department Family=text:word|Payment Date=date:d/m/y|Supplier=text:long|"
        "Transaction No.=number:big|Amount=number:us",
    ),
    Shape(
        "milk",
        "Year=number:year|UK Milk   Production million litres=number:float|"
        "Imports  million litres=number:float?|Total=number:float",
        "\t",
    ),
    Shape(
        "bunq",
        "Datum=date:iso|Bedrag=number:plain,|Rekening=text:iban|Naam=text:person|Omschrijving=text:long",
        quoting=ALL,
        end="\n",
    ),
    Shape(
        "Sparkasse",
        "Auftragskonto=text:iban|Buchungstag=date:d.m.yy|Verwendungszweck=text:german|"
        "BLZ=text:zip0|Betrag=number:plain,|Waehrung=text:currency",
        ";",
        "cp1252",
        quoting=ALL,
    ),
    Shape(
        "comdirect",
        "Buchungstag=date:d.m.y|Wertstellung=date:d.m.y|Buchungstext=text:long|Betrag=number:de|IBAN=text:iban",
        ";",
        "utf-8-sig",
    ),
    Shape(
        "DKB",
        "Buchungsdatum=date:d.m.yy|Status=text:word|Zahlungsempfänger*in=text:german|"
        "Betrag (€)=number:€|Kundenreferenz=text:note",
        ";",
        "utf-8-sig",
        "\n",
        above=(
            '"Girokonto";"DE12345678901234567890"',  # pragma: allowlist secret
            '""',
            '"Kontostand vom 01.02.2024:";"1.234,56 €"',
            '""',
        ),  # pragma: allowlist secret
        quoting=ALL,
    ),
    Shape(
        "Rabobank",
        "IBAN/BBAN=text:iban|Munt=text:currency|Volgnr=text:zip0|Datum=date:iso|"
        "Bedrag=number:plain,|Saldo na trn=number:plain,|Naam tegenpartij=text:westerner",
        encoding="cp1252",
        quoting=ALL,
    ),
    Shape(
        "American Express",
        "Date Processed=date:d/m/y|Description=text:person|Amount=number:£",
        encoding="utf-8-sig",
        trailing=True,
    ),
    Shape(
        "Monzo",
        "id=text:hex|created=date:iso+|amount=number:int|currency=text:currency|"
        "category=text:word|emoji=empty:none|notes=text:note",
        end="\n",
    ),
    Shape(
        "Air Bank",
        "Datum provedení=date:d.m.y|Číslo účtu=text:account|Částka účtu=number:plain,|"
        "Měna=text:currency|Zpráva=text:czech",
        ";",
        "cp1250",
    ),
    Shape(
        "OCBC",
        "Transaction date=date:d/m/y|Value date=date:d/m/y|Description=text:word|"
        "Withdrawals (SGD)=number:us?|Deposits (SGD)=number:us?",
        end="\n",
        above=(
            "Account details for:,FRANK Account 666-666666-666",
            'Available Balance,"6,666.66"',
            'Ledger Balance,"6,666.66"',
            "",
            "Transaction History",
        ),
    ),
    Shape(
        "Erste",
        "Tranzakció dátuma=date:hu|Partner neve=text:hungarian|Tranzakció összege=number:int|"
        "Devizanem=text:currency|Értéknap=date:hu",
        end="\n",
    ),
    Shape(
        "KBC",
        "Rekeningnummer=text:iban|Rubrieknaam=empty:none|Naam=text:person|Datum=date:d/m/y|"
        "Bedrag=number:plain,|Saldo=number:plain,|credit=number:plain,?",
        ";",
        pad=" ",
    ),
    Shape("George", "=text:letter|=number:count|=date:d.m.y|=text:person|=number:float", "|", header=False, end="\n"),
    Shape(
        "Bank of Ireland",
        "Date=date:d/m/y|Details=text:westerner|Debit=number:float?|Credit=number:float?|Balance=number:float?",
        end="\n",
    ),
    Shape(
        "Raiffeisen",
        "=date:d.m.y|=text:long|=date:d.m.y|=number:plain,|=text:currency",
        ";",
        "cp1252",
        header=False,
        trailing=True,
    ),
    Shape("Raiffeisen, tabs", "=date:d.m.y|=text:german|=date:d.m.y|=number:de", "\t", "cp1252", header=False),
    Shape(
        "mBank",
        "#Data operacji=date:iso|#Opis operacji=text:polish|#Rachunek=text:person|"
        "#Kategoria=text:word|#Kwota=number:zł",
        ";",
        "cp1250",
        above=MBANK,
    ),
    Shape(
        "Fio",
        "ID pohybu=number:big|Datum=date:d.m.y|Objem=number:plain,|Měna=text:currency|Zpráva pro příjemce=text:czech",
        ";",
        "utf-8-sig",
        quoting=ALL,
    ),
    Shape(
        "PostFinance",
        "Datum=date:d.m.y|Bewegungstyp=text:german|Gutschrift in CHF=number:ch?|"
        "Lastschrift in CHF=number:ch?|Saldo in CHF=number:ch?",
        ";",
        "cp1252",
        above=("Datum von:;01.01.2024", "Kontoart:;Privatkonto CHF", "IBAN:;CH9300762011623852957", "Währung:;CHF"),
        below=("", "Disclaimer:", "Dies ist kein durch PostFinance AG erstelltes Dokument."),
    ),
    Shape(
        "UBS",
        "Abschlussdatum=date:d.m.y|Abschlusszeit=date:clocks|Währung=text:currency|"
        "Belastung=number:float?|Beschreibung1=text:semi",
        ";",
        "utf-8-sig",
        quoting=ALL,
    ),
    Shape("La Banque Postale", "Date=date:d/m/y|Libellé=text:french|Montant(EUROS)=number:plain,", ";", "iso-8859-15"),
    Shape(
        "Nubank",
        "Data=date:d/m/y|Valor=number:R$|Identificador=text:hex|Descrição=text:long|Pago=boolean:sim",
        end="\n",
    ),
    Shape(
        "Alipay",
        "交易时间=date:isot|交易分类=text:chinese|金额=number:¥|收/支=text:chinese|交易订单号=number:big",
        encoding="gb18030",
        above=(
            "支付宝交易记录明细查询",
            "账号:[user@shop.example]",
            "----------------------交易记录明细列表----------------------",
        ),
    ),
    Shape(
        "Rakuten",
        "利用日=date:y/m/d|利用店名・商品名=text:japanese|利用金額=number:count|支払手数料=number:int",
        encoding="cp932",
        quoting=ALL,
    ),
    Shape(
        "Tinkoff",
        "Дата операции=date:d.m.yt|Статус=text:word|Сумма операции=number:plain,|"
        "Категория=text:russian|Кэшбэк=number:int?",
        ";",
        "cp1251",
        quoting=ALL,
    ),
    Shape("Hana", "거래일시=date:isot|구분=text:korean|출금액=number:int,|잔액=number:int,", encoding="cp949"),
    Shape("Ziraat", "Tarih=date:d.m.y|Açıklama=text:turkish|Tutar=number:de|Bakiye=number:de", ";", "cp1254"),
    Shape("Leumi", "תאריך=date:d/m/y|תיאור=text:hebrew|סכום=number:float|יתרה=number:float", encoding="cp1255"),
    Shape("Arabic stock", "المدينة=text:arabic|الكمية=number:count|السعر=number:float", ";", "utf-8-sig"),
    Shape("Eurobank", "Ημερομηνία=date:d/m/y|Περιγραφή=text:greek|Ποσό=number:de", ";", "cp1253"),
    Shape("Kasikorn", "วันที่=date:d-m-y|รายการ=text:thai|จำนวนเงิน=number:us"),
    Shape(
        "World Bank",
        "Country Name=text:city|Country Code=text:code3|1990=number:float?|"
        "2000=number:float?|2010=number:float?|2020=number:float",
        encoding="utf-8-sig",
        quoting=ALL,
        above=WORLD_BANK,
        trailing=True,
    ),
    Shape(
        "GENESIS",
        "Jahr=number:year|Region=text:german|Anzahl=number:count?-|Anteil=number:float;?...",
        ";",
        "cp1252",
        above=("Bevölkerung: Deutschland, Stichtag", "Fortschreibung des Bevölkerungsstandes"),
        below=("__________", "(C)opyright Statistisches Bundesamt (Destatis), 2024", "Stand: 24.10.2024 / 09:12:44"),
    ),
    Shape("INSEE", "CODGEO=text:zip0|LIBGEO=text:french|P20_POP=number:float;|SUPERF=number:fr", ";", "cp1252"),
    Shape("INE", "Provincia=text:spanish|Sexo=text:word|Periodo=number:year|Total=number:int.", ";", "cp1252"),
    Shape(
        "e-Stat",
        "地域=text:japanese|時間=number:year|人口=number:int,?***|増減率=number:float?-",
        encoding="cp932",
        quoting=ALL,
    ),
    Shape(
        "DWD",
        "STATIONS_ID=number:count|MESS_DATUM=date:d.m.y|QN=number:int|TT=number:float|eor=text:word",
        ";",
        pad=" ",
    ),
    Shape(
        "NOAA",
        "STATION=text:sku|DATE=date:iso|PRCP=number:float?|TMAX=number:int?|NAME=text:person,",
        quoting=ALL,
        end="\n",
    ),
    Shape("OWID", "Entity=text:city|Code=text:code3|Year=number:year|Life expectancy=number:float", end="\n"),
    Shape("covid", "date=date:iso|state=text:word|fips=text:zip0|cases=number:count|deaths=number:count", end="\n"),
    Shape(
        "Shopify",
        "Name=text:hash|Email=text:email|Paid at=date:iso+?|Subtotal=number:float|"
        "Accepts Marketing=boolean:yes|Billing Phone=text:phone|Billing Zip=text:zip0|"
        "Notes=text:lines",
        end="\n",
    ),
    Shape(
        "Stripe",
        "id=text:hex|Created (UTC)=date:isot|Amount=number:float|Captured=boolean:true|"
        "Card Last4=text:zip0|Description=text:json",
        end="\n",
    ),
    Shape(
        "PayPal",
        "Datum=date:d.m.y|Uhrzeit=date:clocks|Brutto=number:de|Gebühr=number:plain,|"
        "Absender E-Mail-Adresse=text:email|Auswirkung=text:german",
        encoding="utf-8-sig",
        quoting=ALL,
    ),
    Shape(
        "Amazon settlement",
        "settlement-id=number:big|deposit-date=date:iso+|total-amount=number:float|"
        "sku=text:sku|quantity-purchased=number:count?",
        "\t",
    ),
    Shape(
        "eBay",
        "Item number=number:big|Title=text:inch|Start price=number:$|Sold Date=date:d-b-y|Quantity=number:count",
        encoding="utf-8-sig",
    ),
    Shape(
        "Google Analytics",
        "Page path=text:url|Views=number:count|Bounce rate=number:%|Average time=date:clocks",
        above=(
            "# ----------------------------------------",
            "# All Web Site Data",
            "# 20240101-20240131",
            "# ----------------------------------------",
        ),
        end="\n",
    ),
    Shape(
        "Search Console",
        "Top queries=text:person|Clicks=number:count|Impressions=number:count|CTR=number:%|Position=number:float",
        end="\n",
    ),
    Shape(
        "AWS cost",
        "identity/LineItemId=text:hex|bill/BillingPeriodStartDate=date:isoT|"
        "lineItem/UnblendedCost=number:sci|lineItem/UsageType=text:sku|"
        "resourceTags/user:Name=text:note",
        end="\n",
    ),
    Shape(
        "Strava",
        "Activity ID=number:big|Activity Date=date:b d, y|Activity Name=text:quoted|"
        "Distance=number:float|Commute=boolean:true",
        end="\n",
    ),
    Shape(
        "Garmin",
        "Activity Type=text:word|Date=date:isot|Favorite=boolean:true|Distance=number:float|"
        "Calories=number:int,|Time=date:clocks",
        end="\n",
    ),
    Shape(
        "Jira",
        "Summary=text:long|Issue key=text:sku|Issue id=number:count|Created=date:d-b-y|"
        "Assignee=text:person?|Labels=text:semi",
        end="\n",
    ),
    Shape(
        "SAP",
        "Material=text:zip0|Kurztext=text:german|Menge=number:sap|Betrag=number:de|Buch.dat.=date:d.m.y",
        "|",
        "cp1252",
    ),
    Shape("SAP, tabs", "Konto=number:count|Text=text:pipes|Soll/Haben=number:sap|Beleg=number:big", "\t", "utf-16"),
    Shape(
        "DATEV",
        "Umsatz=number:plain,|S/H=text:letter|Konto=number:count|Belegdatum=date:d.m.y|"
        "Buchungstext=text:german|Skonto=number:plain,?",
        ";",
        "cp1252",
        quoting=csv.QUOTE_NONNUMERIC,
    ),
    Shape(
        "Excel, German",
        "Artikel=text:german|Menge=number:int.|Preis=number:€|Datum=date:d.m.y|Lieferbar=boolean:WAHR",
        ";",
        "cp1252",
    ),
    Shape(
        "Excel, French",
        "Désignation=text:french|Quantité=number:int_|Prix=number:fr|Date=date:fr|Payé=boolean:oui",
        ";",
        "cp1252",
    ),
    Shape("Excel, sep", "sku=text:sku|price=number:EUR|when=date:d.m.y", ";", "cp1252", above=("sep=;",)),
    Shape(
        "Excel, Unicode text", "Name=text:westerner|Amount=number:us|When=date:m/d/yu|OK=boolean:TRUE", "\t", "utf-16"
    ),
    Shape(
        "Excel, total",
        "Region=text:city|Units=number:count|Revenue=number:us",
        above=("Sales report,,", ",,"),
        below=("{sums}",),
    ),
    Shape(
        "QuickBooks",
        "Date=date:m/d/y|Transaction Type=text:word|Num=number:count?|Name=text:person,|"
        "Amount=number:us|Balance=number:us",
        above=("Shop Ltd,,,,,", "Transaction List by Date,,,,,", "January - December 2024,,,,,", ",,,,,"),
    ),
    Shape(
        "Xero",
        "Date=date:d b y|Source=text:word|Description=text:long|Debit=number:us?|"
        "Credit=number:us?|Running Balance=number:(us)",
        encoding="utf-8-sig",
    ),
    Shape("Tally", "Date=date:d-b-y|Particulars=text:person|Vch No.=number:count|Amount=number:indian"),
    Shape("Visma", "Datum=date:iso|Konto=number:count|Benämning=text:westerner|Belopp=number:se", ";", "cp1252"),
    Shape("Pohoda", "Datum=date:d.m.y|Firma=text:czech|Celkem=number:Kč|Uhrazeno=boolean:tak", ";", "cp1250"),
    Shape("Norwegian shop", "Dato=date:d.m.y|Vare=text:westerner|Pris=number:kr|Rabatt=number:% ,", ";", "utf-8"),
    Shape(
        "Swiss invoices", "Rechnung=text:sku|Betrag=number:CHF|Mehrwertsteuer=number:%|Fällig=date:d.m.y", ";", "cp1252"
    ),
    Shape("sensor log", "time=date:isoms|sensor=text:ip|value=number:float?NaN|unit=text:word", end="\n"),
    Shape(
        "laboratory",
        "sample=text:sku|result=number:sci?n/a|range=text:range|weight=text:kg|ok=boolean:y",
        "\t",
        end="\n",
    ),
    Shape("mail log", "when=date:a, d b y|sender=text:email|subject=text:quoted|size=number:count"),
    Shape("contacts", "Name=text:person,|Phone=text:phoneus|E-mail=text:email|Notes=text:lines|VIP=boolean:True"),
    Shape("library", "ISBN=text:isbn|Title=text:quoted|Year=number:year|Price=number:$|Lent=boolean:ja", quoting=ALL),
    Shape(
        "software", "package=text:word|version=text:version|downloads=number:int,|released=date:b d, y|page=text:html"
    ),
    Shape("spaced", "id=number:count|name=text:person|score=number:float?NULL|at=date:m/d/yt", pad=" ", end="\n"),
    Shape("unsafe", "id=number:count|text=text:formula|more=text:hash|n=number:signed", end="\n"),
    Shape("list", "email=text:email", end="\n"),
    Shape(
        "wide", "|".join([f"m{n}=number:{'float' if n % 2 else 'count'}" for n in range(120)] + ["name=text:person"])
    ),
    Shape("Spanish letters", "fecha=date:es|ciudad=text:spanish|importe=number:de", ";"),
    Shape("German letters", "Tag=date:de|Ort=text:german|Wert=number:float;", ";", "cp1252"),
    Shape("Korean dates", "날짜=date:kr|도시=text:korean|수량=number:int,"),
]


def exported_tables(each: int, seed: int = 1) -> Iterator[Exported]:
    """So many tables of each shape, the same ones each time."""
    for shape in SHAPES:
        for number in range(each):
            yield _exported(shape, random.Random(f"{seed} {number} {shape.name}"))  # noqa: S311 - the same every time


def _exported(shape: Shape, chosen: random.Random) -> Exported:
    columns = [_column(text) for text in shape.columns.split("|")]
    count = chosen.choice([6, 12, 30, 90, 250])
    cells = [_cells(kind, values, mark, count, chosen) for _, kind, values, mark in columns]
    rows = [list(row) for row in zip(*cells, strict=True)]
    header = tuple(name for name, *_ in columns)
    lines = [*([header] if shape.header else []), *rows]
    text = io.StringIO()
    writer = csv.writer(text, delimiter=shape.delimiter, quoting=shape.quoting, lineterminator=shape.end)  # type: ignore[arg-type]
    for line in lines:
        written = [f"{shape.pad}{cell}" if place else cell for place, cell in enumerate(line)]
        writer.writerow([*written, *([""] if shape.trailing else [])])
    sums = (
        shape.delimiter.join(["Total", *(f"{_sum(column):.2f}" for column in cells[1:])])
        if "{sums}" in shape.below
        else ""
    )
    whole = shape.end.join([*shape.above, text.getvalue().removesuffix(shape.end), *shape.below, ""]).replace(
        "{sums}", sums
    )
    return Exported(
        shape.name,
        whole.encode(shape.encoding),
        header if shape.header else None,
        [kind for _, kind, *_ in columns],
        rows,
    )


def _column(text: str) -> tuple[str, str, str, str | None]:
    name, _, rest = text.rpartition("=")
    kind, _, values = rest.partition(":")
    values, missing, mark = values.partition("?")
    return name, kind, values, mark if missing else None


def _cells(kind: str, values: str, mark: str | None, count: int, chosen: random.Random) -> list[str]:
    make = KINDS[kind][values]
    cells = [make(chosen) for _ in range(count)]
    if mark is not None:
        cells = [mark if place and chosen.random() < 0.2 else cell for place, cell in enumerate(cells)]
    # A column of two truth values has both, and one of texts is not empty.
    while kind == "boolean" and len(set(cells)) < 2:
        cells[chosen.randrange(count)] = make(chosen)
    while kind == "text" and not any(cells):
        cells[chosen.randrange(count)] = make(chosen)
    return cells


def _sum(cells: list[str]) -> float:
    return sum(float(cell.replace(",", "")) for cell in cells)
