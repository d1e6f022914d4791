variable "name" {
  description = "Name of the web ACL and prefix of the names of its metrics."
  type        = string
}

variable "load_balancer_arn" {
  description = "Load balancer that it protects."
  type        = string
}

variable "requests_per_address" {
  description = "Requests in five minutes from one address, above which it is blocked. A class of 1,000 comes from one address and may send ten requests a student."
  type        = number

  validation {
    condition     = var.requests_per_address >= 10000 && var.requests_per_address <= 2000000000
    error_message = "requests_per_address must be 10000 or more: below, it would block a class of 1,000 behind one address."
  }
}

variable "requests_per_caller" {
  description = "Requests in five minutes with one caller id from one address, above which they are blocked."
  type        = number

  validation {
    condition     = var.requests_per_caller >= 100 && var.requests_per_caller <= 2000000000
    error_message = "requests_per_caller must be 100 or more."
  }
}

variable "tags" {
  description = "Tags of everything that takes tags."
  type        = map(string)
}
