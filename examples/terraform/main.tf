# Instruments a list of container definitions with `patcher terraform-external`, which must be on
# the PATH of the machine that runs Terraform.

terraform {
  required_version = ">= 1.3"

  required_providers {
    external = {
      source  = "hashicorp/external"
      version = ">= 2.3"
    }
  }
}

variable "container_definitions" {
  description = "Container definitions, as jsonencode() gives them."
  type        = string
}

variable "agent_image" {
  description = "Image of the sidecar container."
  type        = string
}

variable "log_group" {
  description = "Log group of the sidecar and of the alerts."
  type        = string
  default     = ""
}

variable "region" {
  description = "Region of the log group."
  type        = string
  default     = ""
}

variable "priority" {
  description = "availability: a workload that cannot be traced starts; security: it does not."
  type        = string
  default     = "availability"
}

variable "ignore_containers" {
  description = "Names of containers that are left alone."
  type        = list(string)
  default     = []
}

data "external" "patched" {
  program = ["patcher", "terraform-external"]

  # The protocol knows strings only; an empty one is a setting that is not given.
  query = {
    container_definitions = var.container_definitions
    agent_image           = var.agent_image
    log_group             = var.log_group
    region                = var.region
    priority              = var.priority
    ignore_containers     = join(":", var.ignore_containers)
  }
}

output "container_definitions" {
  description = "The instrumented container definitions, for aws_ecs_task_definition."
  value       = data.external.patched.result.container_definitions
}
