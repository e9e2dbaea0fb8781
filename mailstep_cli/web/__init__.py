"""The local page of `mailstep web`: the list of emails, and all that happened to one of them."""
