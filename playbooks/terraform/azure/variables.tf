# Written by provision (playbooks/terraform): changes made here are replaced. Put yours into files of your own beside it.
variable "resource_group_name" {
  description = "The resource group of the load balancer."
  type        = string
}

variable "location" {
  description = "The region of the members."
  type        = string
}

variable "virtual_network_id" {
  description = "The virtual network of the members."
  type        = string
}

variable "subnet_id" {
  description = "The subnet that the load balancer gets its address from."
  type        = string
}

variable "address" {
  description = "A free address of the subnet for the load balancer; null: any one, which stays."
  type        = string
  default     = null
}

variable "network_security_group" {
  description = "The members' network security group, which gets rules for clients and health checks; null: you add them yourself."

  type = object({
    name                = string
    resource_group_name = string
    first_priority      = number
  })

  default = null
}

variable "client_cidrs" {
  description = "Networks whose hosts may use the load balancer; null: only the control planes of the inventory."
  type        = list(string)
  default     = null
}

variable "name" {
  description = "Name of the load balancer and of what belongs to it."
  type        = string
  default     = "etcd"

  validation {
    condition     = can(regex("^[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,62}[A-Za-z0-9_])?$", var.name))
    error_message = "Expected at most 64 letters, digits, dots, hyphens and underscores."
  }
}

variable "tags" {
  description = "Further tags of the load balancer."
  type        = map(string)
  default     = {}
}
