"""What the name of a column says about its numbers, in the languages of offices and shops."""

import re

TELEPHONE = re.compile(
    r"\b(t[e\u00e9]l[e\u00e9]?(ph|f)on\w*|phone\w*|tel|t\u00e9l|(tele)?fax\w*|mobil(e|nummer|nr)?|m\u00f3vil|handy\w*|"
    r"cell\w*|gsm|puhelin\w*)\b|\u0442\u0435\u043b\u0435\u0444\u043e\u043d|\u96fb\u8a71|\u7535\u8bdd|\uc804\ud654",
    re.IGNORECASE,
)
"""Names of columns of telephone numbers."""
CARD = re.compile(r"\b(credit|card|karte\w*|kreditkarte\w*|tarjeta|carte)\b", re.IGNORECASE)
"""Names of columns of payment cards."""
KEY = re.compile(
    r"(?:\b|_)(?i:id|nr|no|number|nummer|key|code|year|jahr|año|année|anno|ano|plz|zip|postcode|postleitzahl|konto|account|"
    r"ref|reference|referenz|ean|gtin|isbn|upc|sku|barcode)\.?$|(?i:[^\W\d_](?:nr|nummer|konto|referenz|code))\.?$|[a-z]I[Dd]$"
)
"""Names of columns whose numbers identify something, so that their sum has no meaning."""
NOT_ADDED = re.compile(
    r"(?:\b|_)(?:balance|saldo|solde|kontostand|lat|latitude|lon|lng|longitude|temp|temperature?|temperatura|température|"
    r"age|alter|edad|âge|rate|kurs|taux|rating|avg|average|mean|durchschnitt|moyenne|promedio|ø)(?:\b|_)",
    re.IGNORECASE,
)
"""Names of columns whose numbers are a state or a rate, so that their sum has no meaning."""
