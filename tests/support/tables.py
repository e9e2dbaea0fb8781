"""Tables as attachments."""

import io

from openpyxl import Workbook

from mailstep.contracts import Attachment
from mailstep.process.processors.tables.limits import TableQuota
from mailstep.process.processors.tables.model import Column, Figures, Table
from mailstep.process.processors.tables.reading import read

TITANIC = b"""PassengerId,Survived,Pclass,Name,Sex,Age,SibSp,Parch,Ticket,Fare,Cabin,Embarked
1,0,3,"Archer, Mr. Owen",male,22,1,0,A/5 21171,7.25,,S
2,1,1,"Baker, Mrs. John (Florence Briggs)",female,38,1,0,PC 17599,71.2833,C85,C
3,1,2,"Cook, Miss. ""Nell"" Ann",female,,0,0,STON/O2. 3101282,7.925,E46,S
4,0,1,"Dyer, Mr. Tim",male,54,0,0,17463,51.8625,E5,S
"""


def attachment(filename: str = "t.csv", media_type: str = "text/csv") -> Attachment:
    return Attachment(filename=filename, media_type=media_type, size_octets=1, sha256="", key="k")


def one(content: bytes, filename: str = "t.csv", *, quota: TableQuota | None = None) -> Table:
    [table] = read(filename, content, quota or TableQuota())
    return table


def figures_of(column: Column) -> Figures:
    assert column.figures
    return column.figures


def saved(workbook: Workbook) -> bytes:
    stream = io.BytesIO()
    workbook.save(stream)
    return stream.getvalue()
