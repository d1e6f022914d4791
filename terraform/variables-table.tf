variable "table_name" {
  description = "Name of the table."
  type        = string
  default     = "SandboxPool"
  nullable    = false
}

variable "index_names" {
  description = "Names of the indexes by status, by caller and by idempotency key."
  type = object({
    status      = optional(string, "StatusIndex")
    track       = optional(string, "TrackIndex")
    idempotency = optional(string, "IdempotencyIndex")
  })
  default  = {}
  nullable = false
}

variable "point_in_time_recovery_days" {
  description = "Days back to which the table can be restored, 1 to 35. Charged by GB of the table, however many days."
  type        = number
  default     = 35
  nullable    = false
}

variable "warm_throughput" {
  description = "Reads and writes a second for which the table and each index are ready at once, before anything has grown. null: 12,000 and 4,000, which every table has. Charged once for each raise, cannot be lowered, and needs the AWS CLI where Terraform runs."
  type = object({
    read_units_per_second  = number
    write_units_per_second = number
  })
  default = null
}

variable "table_replicated" {
  description = "Whether another region holds, or will hold, a replica of the table. Turns on the stream that replicas need; each replica is charged in its own region."
  type        = bool
  default     = false
  nullable    = false

  validation {
    condition     = !(var.table_replicated && var.replica_of != null)
    error_message = "table_replicated is for the table that has replicas, replica_of for the replica: not both."
  }
}

variable "replica_of" {
  description = "The table in another region: this installation then gets a replica of it instead of a table of its own, for recovery. Never let both regions serve at once."
  type        = object({ table_arn = string })
  default     = null

  validation {
    condition     = var.replica_of == null || try(endswith(var.replica_of.table_arn, ":table/${var.table_name}"), false)
    error_message = "table_name must be the name of the table in replica_of: a replica has the name of its table."
  }
}
