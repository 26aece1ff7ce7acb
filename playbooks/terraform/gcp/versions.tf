# Written by provision (playbooks/terraform): changes made here are replaced. Put yours into files of your own beside it.
terraform {
  required_version = ">= 1.5.0"

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = "~> 6.20"
    }
  }
}
