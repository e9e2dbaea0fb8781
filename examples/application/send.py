"""Mail a file to the local cloud of `mailstep up --smtp-port 2525`, as its sender's server would."""

import smtplib
import sys
from pathlib import Path

with smtplib.SMTP("127.0.0.1", 2525) as smtp:
    smtp.sendmail("ann@shop.example", "application@mailstep.example", Path(sys.argv[1]).read_bytes())
print("Sent.")
