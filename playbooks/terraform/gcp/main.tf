# Written by provision (playbooks/terraform): changes made here are replaced. Put yours into files of your own beside it.
locals {
  client_cidrs = coalesce(var.client_cidrs, [for address in values(local.control_planes) : "${address}/32"])
  description  = "etcd cluster ${local.cluster}"
}

resource "google_compute_address" "etcd" {
  name         = var.name
  description  = local.description
  region       = var.region
  subnetwork   = var.subnetwork
  address_type = "INTERNAL"
  purpose      = "GCE_ENDPOINT"
  address      = var.address
}

# One in each zone; endpoints are the members' addresses.
resource "google_compute_network_endpoint_group" "members" {
  for_each = toset([for member in keys(local.members) : var.zones[member]])

  name                  = "${var.name}-${each.value}"
  description           = local.description
  zone                  = each.value
  network               = var.network
  subnetwork            = var.subnetwork
  network_endpoint_type = "GCE_VM_IP"
}

resource "google_compute_network_endpoint" "members" {
  for_each = local.members

  network_endpoint_group = google_compute_network_endpoint_group.members[var.zones[each.key]].name
  zone                   = var.zones[each.key]
  instance               = lookup(var.instances, each.key, each.key)
  ip_address             = each.value.address
}

# Members demand client certificates, and a load balancer has none: it can only see that they accept connections.
resource "google_compute_region_health_check" "etcd" {
  name                = var.name
  description         = local.description
  region              = var.region
  check_interval_sec  = 5
  timeout_sec         = 5
  healthy_threshold   = 2
  unhealthy_threshold = 2

  tcp_health_check {
    port = local.port
  }
}

resource "google_compute_region_backend_service" "etcd" {
  name                            = var.name
  description                     = local.description
  region                          = var.region
  protocol                        = "TCP"
  load_balancing_scheme           = "INTERNAL"
  health_checks                   = [google_compute_region_health_check.etcd.id]
  connection_draining_timeout_sec = 30

  dynamic "backend" {
    for_each = google_compute_network_endpoint_group.members

    content {
      group          = backend.value.id
      balancing_mode = "CONNECTION"
    }
  }
}

# TLS goes through untouched, and so does the port: clients verify the members themselves.
resource "google_compute_forwarding_rule" "etcd" {
  name                  = var.name
  description           = local.description
  region                = var.region
  network               = var.network
  subnetwork            = var.subnetwork
  ip_address            = google_compute_address.etcd.id
  ip_protocol           = "TCP"
  ports                 = [tostring(local.port)]
  load_balancing_scheme = "INTERNAL"
  backend_service       = google_compute_region_backend_service.etcd.id
  allow_global_access   = var.allow_global_access
}

# Members see the addresses of the clients.
resource "google_compute_firewall" "clients" {
  name          = "${var.name}-clients"
  description   = "etcd clients, through the load balancer"
  network       = var.network
  direction     = "INGRESS"
  source_ranges = local.client_cidrs
  target_tags   = var.member_tags

  allow {
    protocol = "tcp"
    ports    = [tostring(local.port)]
  }
}

# Google's own probers (cloud.google.com/load-balancing/docs/health-check-concepts, "Probe IP ranges and firewall rules").
resource "google_compute_firewall" "health_checks" {
  name          = "${var.name}-health-checks"
  description   = "health checks of the load balancer of etcd"
  network       = var.network
  direction     = "INGRESS"
  source_ranges = ["35.191.0.0/16", "130.211.0.0/22"]
  target_tags   = var.member_tags

  allow {
    protocol = "tcp"
    ports    = [tostring(local.port)]
  }
}
