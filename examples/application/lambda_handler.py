"""The application behind API Gateway, on Lambda."""

from application import app
from mangum import Mangum

handler = Mangum(app)
