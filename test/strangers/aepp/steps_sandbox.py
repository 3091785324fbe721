"""Sandbox management."""

STEPS = [
    ("boxes.getSandboxes()", "[each['name'] for each in _] == ['prod', 'dev1']"),
    ("boxes.getSandboxTypes()", "_ == ['production', 'development']"),
    ("boxes.getSandbox('dev1')", "has(_, name='dev1', type='development', state='active', isDefault=False)"),
    ("boxes.getSandbox('prod')", "has(_, name='prod', type='production', isDefault=True)"),
    ("boxes.getSandboxId('dev1')", "is_id(_)"),
    ("boxes.getSandbox('none')", "refused(_, 404)"),
    ("boxes.createSandbox('fresh', 'Fresh')", "has(_, name='fresh', title='Fresh')", "", "more"),
    ("boxes.getSandbox('fresh')", "has(_, name='fresh', type='development')", "", "more"),
    ("boxes.updateSandbox('fresh', {'title': 'Renamed'})", "has(_, name='fresh')", "", "more"),
    ("boxes.resetSandbox('fresh')", "has(_, name='fresh')", "", "more"),
    ("boxes.deleteSandbox('fresh')", "_ == 200 or has(_, name='fresh')", "", "more"),
    ("boxes.getPackages()", "_ == []", "not simulated: sandbox tooling; aepp reads an empty list out of any error"),
]
