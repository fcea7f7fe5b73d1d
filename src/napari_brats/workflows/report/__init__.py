"""One-file HTML reports, about a patient (`patient`) and about a cohort (`cohort`).

`findings` measures a mask, `origin` says where it comes from, `page` fills the templates.
"""
