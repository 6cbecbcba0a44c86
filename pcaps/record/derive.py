def make_all():
    pass
