# Written by provision (playbooks/terraform): changes made here are replaced. Put yours into files of your own beside it.
locals {
  client_cidrs = coalesce(var.client_cidrs, [for address in values(local.control_planes) : "${address}/32"])
  member_ips   = [for member in local.members : member.address]

  # The load balancer has one port for all of them.
  member_port = one(distinct([for member in local.members : member.port]))
}

# Without a public address: a frontend in a subnet is internal.
resource "azurerm_lb" "etcd" {
  name                = var.name
  resource_group_name = var.resource_group_name
  location            = var.location
  sku                 = "Standard"
  tags                = merge({ etcd_cluster = local.cluster }, var.tags)

  frontend_ip_configuration {
    name                          = "etcd"
    subnet_id                     = var.subnet_id
    private_ip_address            = var.address
    private_ip_address_allocation = var.address == null ? "Dynamic" : "Static"
  }
}

resource "azurerm_lb_backend_address_pool" "etcd" {
  name            = "members"
  loadbalancer_id = azurerm_lb.etcd.id
}

resource "azurerm_lb_backend_address_pool_address" "members" {
  for_each = local.members

  name                    = each.key
  backend_address_pool_id = azurerm_lb_backend_address_pool.etcd.id
  virtual_network_id      = var.virtual_network_id
  ip_address              = each.value.address
}

# Members demand client certificates, and a load balancer has none: it can only see that they accept connections.
resource "azurerm_lb_probe" "etcd" {
  name                = "etcd"
  loadbalancer_id     = azurerm_lb.etcd.id
  protocol            = "Tcp"
  port                = local.member_port
  interval_in_seconds = 5
  probe_threshold     = 2
}

# TLS goes through untouched: clients verify the members themselves, and members verify them.
resource "azurerm_lb_rule" "etcd" {
  name                           = "etcd"
  loadbalancer_id                = azurerm_lb.etcd.id
  protocol                       = "Tcp"
  frontend_port                  = local.port
  backend_port                   = local.member_port
  frontend_ip_configuration_name = "etcd"
  backend_address_pool_ids       = [azurerm_lb_backend_address_pool.etcd.id]
  probe_id                       = azurerm_lb_probe.etcd.id
  idle_timeout_in_minutes        = 30
  enable_tcp_reset               = true
}

# Members see the addresses of the clients.
resource "azurerm_network_security_rule" "clients" {
  count = var.network_security_group == null ? 0 : 1

  name                         = "${var.name}-clients"
  description                  = "etcd clients, through the load balancer"
  resource_group_name          = var.network_security_group.resource_group_name
  network_security_group_name  = var.network_security_group.name
  priority                     = var.network_security_group.first_priority
  direction                    = "Inbound"
  access                       = "Allow"
  protocol                     = "Tcp"
  source_port_range            = "*"
  source_address_prefixes      = local.client_cidrs
  destination_port_range       = tostring(local.member_port)
  destination_address_prefixes = local.member_ips
}

resource "azurerm_network_security_rule" "health_checks" {
  count = var.network_security_group == null ? 0 : 1

  name                         = "${var.name}-health-checks"
  description                  = "health checks of the load balancer of etcd"
  resource_group_name          = var.network_security_group.resource_group_name
  network_security_group_name  = var.network_security_group.name
  priority                     = var.network_security_group.first_priority + 1
  direction                    = "Inbound"
  access                       = "Allow"
  protocol                     = "Tcp"
  source_port_range            = "*"
  source_address_prefix        = "AzureLoadBalancer"
  destination_port_range       = tostring(local.member_port)
  destination_address_prefixes = local.member_ips
}
