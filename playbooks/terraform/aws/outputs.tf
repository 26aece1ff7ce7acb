# Written by provision (playbooks/terraform): changes made here are replaced. Put yours into files of your own beside it.
output "etcd_lb_host" {
  description = "For the inventory's etcd_lb_host: a name with an address in each zone."
  value       = aws_lb.etcd.dns_name
}

output "etcd_lb_port" {
  description = "For the inventory's etcd_lb_port."
  value       = aws_lb_listener.etcd.port
}

output "security_group_id" {
  description = "What members must admit, where member_security_group_ids is empty."
  value       = aws_security_group.etcd.id
}
