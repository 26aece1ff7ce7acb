# Written by provision (playbooks/terraform): changes made here are replaced. Put yours into files of your own beside it.
locals {
  client_cidrs = coalesce(var.client_cidrs, [for address in values(local.control_planes) : "${address}/32"])
  tags         = merge({ Name = var.name, etcd_cluster = local.cluster }, var.tags)
}

# Of the load balancer itself. The members see its addresses, not those of the clients.
resource "aws_security_group" "etcd" {
  name        = var.name
  description = "etcd clients to the load balancer, and from there to the members"
  vpc_id      = var.vpc_id
  tags        = local.tags
}

resource "aws_vpc_security_group_ingress_rule" "clients" {
  for_each = toset(local.client_cidrs)

  security_group_id = aws_security_group.etcd.id
  description       = "etcd clients"
  cidr_ipv4         = each.value
  ip_protocol       = "tcp"
  from_port         = local.port
  to_port           = local.port
}

resource "aws_vpc_security_group_egress_rule" "members" {
  for_each = local.members

  security_group_id = aws_security_group.etcd.id
  description       = "connections and health checks to the member ${each.key}"
  cidr_ipv4         = "${each.value.address}/32"
  ip_protocol       = "tcp"
  from_port         = each.value.port
  to_port           = each.value.port
}

resource "aws_vpc_security_group_ingress_rule" "members" {
  for_each = {
    for rule in setproduct(var.member_security_group_ids, distinct([for member in local.members : member.port])) :
    "${rule[0]} ${rule[1]}" => { group = rule[0], port = rule[1] }
  }

  security_group_id            = each.value.group
  description                  = "the load balancer of etcd"
  referenced_security_group_id = aws_security_group.etcd.id
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
}

resource "aws_lb" "etcd" {
  name               = var.name
  internal           = true
  load_balancer_type = "network"
  subnets            = var.subnet_ids
  security_groups    = [aws_security_group.etcd.id]
  tags               = local.tags

  # Else a zone without a healthy member has no etcd.
  enable_cross_zone_load_balancing = true
}

resource "aws_lb_target_group" "etcd" {
  name                 = var.name
  vpc_id               = var.vpc_id
  target_type          = "ip"
  protocol             = "TCP"
  port                 = local.port
  deregistration_delay = 30
  tags                 = local.tags

  # With the client's address, a client on a member's own host would time out when it is led there.
  preserve_client_ip = false

  # Members demand client certificates, and a load balancer has none: it can only see that they accept connections.
  health_check {
    protocol            = "TCP"
    port                = "traffic-port"
    interval            = 10
    timeout             = 5
    healthy_threshold   = 2
    unhealthy_threshold = 2
  }
}

resource "aws_lb_target_group_attachment" "members" {
  for_each = local.members

  target_group_arn = aws_lb_target_group.etcd.arn
  target_id        = each.value.address
  port             = each.value.port
}

# TLS goes through untouched: clients verify the members themselves, and members verify them.
resource "aws_lb_listener" "etcd" {
  load_balancer_arn = aws_lb.etcd.arn
  protocol          = "TCP"
  port              = local.port
  tags              = local.tags

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.etcd.arn
  }
}
