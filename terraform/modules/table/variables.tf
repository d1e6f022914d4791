variable "name" {
  description = "Name of the table."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9_.-]{3,255}$", var.name))
    error_message = "name must be 3 to 255 letters, digits, \"_\", \".\" or \"-\"."
  }
}

variable "index_names" {
  description = "Names of the indexes by status, by caller and by idempotency key."
  type = object({
    status      = string
    track       = string
    idempotency = string
  })

  validation {
    condition     = alltrue([for name in values(var.index_names) : can(regex("^[A-Za-z0-9_.-]{3,255}$", name))])
    error_message = "index_names must be 3 to 255 letters, digits, \"_\", \".\" or \"-\" each."
  }

  validation {
    condition     = length(distinct(values(var.index_names))) == 3
    error_message = "index_names must be three different names."
  }
}

variable "point_in_time_recovery_days" {
  description = "Days back to which the table can be restored."
  type        = number

  validation {
    condition     = var.point_in_time_recovery_days >= 1 && var.point_in_time_recovery_days <= 35 && floor(var.point_in_time_recovery_days) == var.point_in_time_recovery_days
    error_message = "point_in_time_recovery_days must be a whole number from 1 to 35."
  }
}

variable "deletion_protection" {
  description = "Whether the table refuses to be deleted."
  type        = bool
}

variable "kms_key_arn" {
  description = "Key that encrypts the table; null uses a key that DynamoDB owns, free of charge. A key for a replica must be in the replica's region."
  type        = string
}

variable "warm_throughput" {
  description = "Reads and writes a second for which the table and its indexes are ready at once; null leaves what DynamoDB gives (12,000 and 4,000). Charged once for each raise, cannot be lowered, and needs the AWS CLI where Terraform runs."
  type = object({
    read_units_per_second  = number
    write_units_per_second = number
  })

  validation {
    condition     = var.warm_throughput == null || try(var.warm_throughput.read_units_per_second >= 12000 && var.warm_throughput.write_units_per_second >= 4000, false)
    error_message = "warm_throughput must be at least 12000 reads and 4000 writes a second, which every table on demand has from the start."
  }
}

variable "replicated" {
  description = "Whether replicas of the table stand, or will stand, in other regions; turns on the stream that they need."
  type        = bool
}

variable "replica_of" {
  description = "The table in another region of which this one becomes a replica; null makes a table of its own."
  type        = object({ table_arn = string })

  validation {
    condition     = var.replica_of == null || can(regex("^arn:[a-z-]+:dynamodb:[a-z0-9-]+:[0-9]{12}:table/[A-Za-z0-9_.-]+$", var.replica_of.table_arn))
    error_message = "replica_of.table_arn must be the ARN of a DynamoDB table."
  }
}

variable "tags" {
  description = "Tags of everything that takes tags."
  type        = map(string)
}
