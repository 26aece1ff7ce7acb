# Written by provision (playbooks/terraform): changes made here are replaced. Put yours into files of your own beside it.
output "etcd_lb_ip" {
  description = "For the inventory's etcd_lb_ip."
  value       = google_compute_address.etcd.address
}

output "etcd_lb_port" {
  description = "For the inventory's etcd_lb_port."
  value       = local.port
}
