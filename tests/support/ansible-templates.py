"""Renders templates as Debian's Ansible does for a host: ansible-templates.py INVENTORY HOST JSON-LIST-OF-TEMPLATES.
Prints a JSON list of what came out, each as a text."""
import json
import sys

from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar
from ansible.vars.manager import VariableManager

path, host, templates = sys.argv[1:]
loader = DataLoader()
inventory = InventoryManager(loader=loader, sources=[path])
manager = VariableManager(loader=loader, inventory=inventory)
templar = Templar(loader, variables=manager.get_vars(host=inventory.get_host(host)))
print(json.dumps([str(templar.template(each, convert_data=False)) for each in json.loads(templates)]))
