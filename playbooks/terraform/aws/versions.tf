# Written by provision (playbooks/terraform): changes made here are replaced. Put yours into files of your own beside it.
terraform {
  required_version = ">= 1.5.0"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.80"
    }
  }
}
