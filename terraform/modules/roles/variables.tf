variable "name" {
  description = "Prefix of the names of the roles."
  type        = string
}

variable "table_arn" {
  description = "The table."
  type        = string
}

variable "index_arns" {
  description = "Its indexes."
  type        = list(string)
}

variable "secret_arns_read_by_tasks" {
  description = "Secrets that the broker reads itself, while it runs."
  type        = list(string)
}

variable "secret_arns_read_at_start" {
  description = "Secrets that ECS puts into the environment of a task when it starts."
  type        = list(string)
}

variable "repository_arn" {
  description = "ECR repository of the image; null for an image that is public."
  type        = string
}

variable "log_group_arn" {
  description = "Log group of the tasks."
  type        = string
}

variable "kms_key_arn" {
  description = "Key that encrypts the table and the secrets; null where AWS's own keys do."
  type        = string
}

variable "tags" {
  description = "Tags of everything that takes tags."
  type        = map(string)
}
