"""Order lists as companies in eighteen languages export them, in the encodings of their programs.

Made from words of each language, by a seed: the same lists every time. Short lists are the hardest to decode.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass

LISTS = 540
"""Lists in all, the same number in each language."""

WORDS: dict[str, tuple[tuple[str, ...], str, str, str, str]] = {
    # Encodings; the header's names; customers; towns; articles.
    "German": (
        ("cp1252", "iso-8859-15", "utf-8"),
        "Kunde Stadt Artikel Menge Stückpreis",
        "Müller Schäfer Groß Jäger Köhler Böhm Weiß Bäcker Schröder Voß Lübke Krämer",
        "München Köln Düsseldorf Nürnberg Gießen Fürth Göttingen Tübingen Lübeck Münster",
        "Schlüssel Türgriff Gehäuse Dübel Bügel Schläuche Zubehör Fußmatte Säge Kühlgerät",
    ),
    "French": (
        ("cp1252", "iso-8859-1", "utf-8"),
        "Société Ville Désignation Quantité Prix",
        "Lefèvre Bérénger François Hélène André Noël Béatrice Jérôme Gaël Zoé",
        "Orléans Besançon Béziers Nîmes Mâcon Alès Fécamp Saint-Étienne Sète Périgueux",
        "Clé Châssis Câble Écrou Poignée Étagère Pièce Mètre Brûleur Vérin",
    ),
    "Spanish": (
        ("cp1252", "iso-8859-1", "utf-8"),
        "Cliente Ciudad Artículo Cantidad Observación",
        "Núñez Peña Muñoz Ibáñez Gómez Martínez Pérez Hernández Íñigo Zúñiga",
        "León Cádiz Málaga Logroño Córdoba Ávila Cáceres Jaén Castellón Alcalá",
        "Añil Cañón Baño Tornillería Lámpara Cerámica Paño Depósito Señal Bisagra",
    ),
    "Portuguese": (
        ("cp1252", "iso-8859-1", "utf-8"),
        "Cliente Município Descrição Quantidade Preço",
        "João Conceição Gonçalves Simões Antônio Magalhães Patrícia Inês Araújo Brandão",
        "Maringá Goiânia Brasília Florianópolis Cuiabá Maceió Guimarães Évora Fundão",
        "Parafuso Calço Botão Fogão Lâmpada Peças Válvula Mão-francesa Cartão Ação",
    ),
    "Italian": (
        ("cp1252", "iso-8859-1", "utf-8"),
        "Cliente Città Descrizione Quantità Prezzo",
        "Nicolò Niccolò Andrè Dalprà Cantù Pietà Rosà Mondì Sanità",
        "Forlì Cefalù Cantù Viganò Salò Mondovì Patù Rosà Nardò",
        "Unità Qualità Velocità Caffè Più Verità Metà Lunedì Novità",
    ),
    "Swedish": (
        ("cp1252", "iso-8859-1", "utf-8"),
        "Kund Ort Benämning Mängd Pris",
        "Åkesson Björk Sjöberg Lindström Hägg Öberg Nyström Ström Bäck Wåhlin",
        "Malmö Göteborg Västerås Örebro Linköping Umeå Luleå Gävle Borås Växjö",
        "Skruv Nyckel Stöd Hållare Gångjärn Fäste Rör Dörr Låda Kåpa",
    ),
    "Danish": (
        ("cp1252", "iso-8859-1", "utf-8"),
        "Kunde By Vare Mængde Beløb",
        "Sørensen Jørgensen Østergård Kjær Møller Nørgaard Højgaard Søndergaard Bødker",
        "København Århus Ålborg Næstved Køge Sønderborg Helsingør Hillerød Ærø",
        "Nøgle Rør Dør Hængsel Skærm Bøjle Måler Sæde Ståltråd",
    ),
    "Finnish": (
        ("cp1252", "iso-8859-15", "utf-8"),
        "Asiakas Kaupunki Nimike Määrä Hinta",
        "Mäkinen Hämäläinen Järvinen Lehtimäki Väisänen Pöllänen Särkkä Hyvönen",
        "Jyväskylä Hämeenlinna Seinäjoki Järvenpää Riihimäki Ylöjärvi Äänekoski",
        "Hylly Pöytä Käsine Työkalu Näyttö Säätö Kääntö Lämmitin Pyörä",
    ),
    "Polish": (
        ("cp1250", "iso-8859-2", "utf-8"),
        "Klient Miejscowość Nazwa Ilość Wartość",
        "Wójcik Kowalczyk Zieliński Woźniak Kamiński Dąbrowski Szymański Kozłowski Błaszczyk",
        "Łódź Kraków Gdańsk Poznań Białystok Wrocław Rzeszów Częstochowa Toruń",
        "Śruba Nakrętka Łożysko Wąż Uchwyt Żarówka Półka Kołek Zawór Łańcuch",
    ),
    "Czech": (
        ("cp1250", "iso-8859-2", "utf-8"),
        "Zákazník Město Zboží Množství Částka",
        "Dvořák Novotný Procházka Kučera Veselý Horák Němec Pokorný Řehoř Žáček",
        "Plzeň Třebíč Děčín Břeclav Ústí Jihlava Zlín Říčany Žďár Kroměříž",
        "Šroub Klíč Kabel Držák Skříň Žárovka Matice Těsnění Řemen Páčka",
    ),
    "Hungarian": (
        ("cp1250", "iso-8859-2", "utf-8"),
        "Vevő Város Megnevezés Mennyiség Összeg",
        "Kovács Szabó Tóth Horváth Németh Lőrincz Erdős Szűcs Győri Őry",
        "Győr Pécs Székesfehérvár Kecskemét Nyíregyháza Érd Hódmezővásárhely Sződ",
        "Csavar Kulcs Szűrő Tömítés Fűrész Működtető Kötőelem Cső Függöny",
    ),
    "Romanian": (
        ("cp1250", "iso-8859-2", "utf-8"),
        "Client Localitate Denumire Cantitate Valoare",
        "Ionescu Pătrașcu Bălan Râmniceanu Țurcanu Șerban Stănescu Mănescu",
        "București Brașov Timișoara Iași Constanța Galați Ploiești Târgoviște",
        "Șurub Piuliță Cârlig Mâner Bandă Țeavă Cutie Lanț Împletitură",
    ),
    "Russian": (
        ("cp1251", "koi8-r", "utf-8"),
        "Покупатель Город Товар Количество Цена",
        "Иванов Петрова Сидоров Кузнецова Соколов Михайлов Новикова Фёдоров",
        "Москва Казань Самара Тверь Омск Пермь Воронеж Екатеринбург",
        "Болт Гайка Провод Лампа Насос Ключ Замок Фильтр Подшипник",
    ),
    "Greek": (
        ("cp1253", "iso-8859-7", "utf-8"),
        "Πελάτης Πόλη Περιγραφή Ποσότητα Τιμή",
        "Παπαδόπουλος Γεωργίου Νικολάου Δημητρίου Ιωάννου Αντωνίου Βασιλείου",
        "Αθήνα Θεσσαλονίκη Πάτρα Ηράκλειο Λάρισα Βόλος Ιωάννινα",
        "Κλειδί Βίδα Καλώδιο Λάμπα Φίλτρο Σωλήνας Κουτί Βαλβίδα",
    ),
    "Turkish": (
        ("cp1254", "iso-8859-9", "utf-8"),
        "Müşteri Şehir Ürün Miktar Açıklama",
        "Yılmaz Şahin Öztürk Çelik Yıldız Doğan Aydın Koç Güneş Işık",
        "İstanbul Diyarbakır Muğla Şanlıurfa Eskişehir Balıkesir Niğde Iğdır",
        "Vida Anahtar Süzgeç Hortum Bağlantı Işıldak Çerçeve Kayış Dişli",
    ),
    "Japanese": (
        ("cp932", "euc_jp", "utf-8"),
        "顧客名 都市 品名 数量 単価",
        "田中商店 佐藤工業 鈴木製作所 高橋電機 渡辺運輸 伊藤食品",
        "東京 大阪 名古屋 札幌 福岡 横浜 仙台",
        "りんご みかん ねじ 電池 ケーブル 鍵 ノート 封筒",
    ),
    "Chinese": (
        ("gb18030", "big5", "utf-8"),
        "客戶 城市 品名 單位 備註",
        "王小明 李文華 張建國 陳美玲 林志明 黃家豪",
        "台北 高雄 上海 北京 廣州 台中",
        "螺絲 電池 鑰匙 紙箱 水管 燈泡 鉛筆",
    ),
    "Korean": (
        ("cp949", "euc_kr", "utf-8"),
        "고객 도시 품목 수량 단가",
        "김철수 이영희 박민수 최지우 정하늘 강서연",
        "서울 부산 대구 인천 광주 대전",
        "나사 전지 열쇠 상자 호스 전구 연필",
    ),
}


@dataclass(frozen=True)
class OrderList:
    """A list: its octets, and its header and rows as a person in that country reads them."""

    language: str
    encoding: str
    content: bytes
    header: tuple[str, ...]
    rows: list[list[str]]


def order_lists(seed: int = 1) -> Iterator[OrderList]:
    """All lists: each language in each of its encodings, with 2 to 40 rows."""
    for language, (encodings, *_) in WORDS.items():
        for number in range(LISTS // len(WORDS)):
            yield _list(language, encodings[number % len(encodings)], random.Random(f"{seed} {language} {number}"))  # noqa: S311


def _list(language: str, encoding: str, chosen: random.Random) -> OrderList:
    _, header, customers, towns, articles = WORDS[language]
    delimiter, comma = chosen.choice([(";", ","), (";", ","), (",", "."), ("\t", ",")])
    rows = [
        [
            chosen.choice(customers.split()),
            chosen.choice(towns.split()),
            chosen.choice(articles.split()),
            str(chosen.randint(1, 200)),
            f"{chosen.randint(1, 999)}{comma}{chosen.randint(0, 99):02}",
        ]
        for _ in range(chosen.choice([2, 3, 5, 8, 20, 40]))
    ]
    if encoding != "utf-8" and language == "Romanian":
        # These encodings have the letters with a cedilla, which programs wrote before those with a comma.
        swapped = str.maketrans("șțȘȚ", "şţŞŢ")
        header, rows = header.translate(swapped), [[cell.translate(swapped) for cell in row] for row in rows]
    names = tuple(header.split())
    text = "".join(delimiter.join(row) + "\r\n" for row in (names, *rows))
    return OrderList(language, encoding, text.encode(encoding), names, rows)
