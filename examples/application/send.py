"""Send a message file to the local account of `mailstep up --smtp-port 2525`, as a mail server would.

python send.py FILE [SMTP PORT]
"""

import smtplib
import sys
from pathlib import Path

file, port = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 2525
with smtplib.SMTP("127.0.0.1", port) as smtp:
    smtp.sendmail("ann@shop.example", "application@mailstep.example", Path(file).read_bytes())
print("Sent.")
