# Written by provision (playbooks/terraform): changes made here are replaced. Put yours into files of your own beside it.
variable "vpc_id" {
  description = "The VPC of the members and their clients."
  type        = string
}

variable "subnet_ids" {
  description = "Subnets of the load balancer: one in each zone that has members or clients."
  type        = list(string)

  validation {
    condition     = length(var.subnet_ids) > 0
    error_message = "Expected at least one subnet."
  }
}

variable "client_cidrs" {
  description = "Networks whose hosts may use the load balancer; null: only the control planes of the inventory."
  type        = list(string)
  default     = null
}

variable "member_security_group_ids" {
  description = "Security groups of the members, which get a rule that admits the load balancer; empty: you admit it yourself."
  type        = list(string)
  default     = []
}

variable "name" {
  description = "Name of the load balancer and of what belongs to it."
  type        = string
  default     = "etcd"

  validation {
    condition     = can(regex("^[A-Za-z0-9](?:[A-Za-z0-9-]{0,30}[A-Za-z0-9])?$", var.name))
    error_message = "Expected at most 32 letters, digits and hyphens."
  }
}

variable "tags" {
  description = "Further tags of everything that is made."
  type        = map(string)
  default     = {}
}
