"""Prints, as JSON, the hosts that Ansible selects from an inventory for each pattern of a JSON list."""
import json
import sys

from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader

manager = InventoryManager(loader=DataLoader(), sources=[sys.argv[1]])
print(json.dumps([[host.name for host in manager.get_hosts(pattern)] for pattern in json.loads(sys.argv[2])]))
