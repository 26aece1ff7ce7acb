# Written by provision (playbooks/terraform): changes made here are replaced. Put yours into files of your own beside it.
variable "region" {
  description = "The region of the members."
  type        = string
}

variable "network" {
  description = "Self link or name of the VPC network of the members."
  type        = string
}

variable "subnetwork" {
  description = "Self link or name of the members' subnetwork, which the load balancer gets its address from."
  type        = string
}

variable "zones" {
  description = "Member of the inventory => the zone of its instance: { \"etcd-1\" = \"europe-west1-b\" }."
  type        = map(string)
}

variable "instances" {
  description = "Member of the inventory => the name of its instance, where that is another one."
  type        = map(string)
  default     = {}
}

variable "address" {
  description = "A free internal address for the load balancer; null: any one of the subnetwork, which stays."
  type        = string
  default     = null
}

variable "client_cidrs" {
  description = "Networks whose hosts may use the load balancer; null: only the control planes of the inventory."
  type        = list(string)
  default     = null
}

variable "member_tags" {
  description = "Network tags of the members' instances, for the firewall rules; empty: rules for all instances of the network."
  type        = list(string)
  default     = []
}

variable "allow_global_access" {
  description = "Whether clients of other regions may use the load balancer."
  type        = bool
  default     = false
}

variable "name" {
  description = "Name of the load balancer and of what belongs to it."
  type        = string
  default     = "etcd"

  validation {
    condition     = can(regex("^[a-z](?:[a-z0-9-]{0,30}[a-z0-9])?$", var.name))
    error_message = "Expected at most 32 small letters, digits and hyphens, beginning with a letter."
  }
}
