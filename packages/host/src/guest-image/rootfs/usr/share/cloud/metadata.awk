# Reads OpenStack's meta_data.json: writes uuid and host name of the top level, and every ssh key once, to files below `state`.
# Text between quotation marks is a string, unless the mark is escaped.
BEGIN { RS = "\""; inside = 0; text = "" }
{
  text = joining ? text "\"" $0 : $0
  if (inside) {
    slashes = text
    sub(/^.*[^\\]/, "", slashes)
    joining = length(slashes) % 2
    if (joining) next
    if (depth == 1 && value == "uuid") print text > (state "/instance-id")
    else if (depth == 1 && value == "hostname") print text > (state "/hostname")
    else if (text ~ /^(ssh-|ecdsa-|sk-)[a-z0-9@.-]+ /) {
      gsub(/\\n/, "", text)
      if (!seen[text]++) print text > (state "/keys")
    }
    last = text
    value = ""
  } else {
    joining = 0
    structure = text
    depth += gsub(/[{[]/, "", structure) - gsub(/[]}]/, "", structure)
    # A string after a colon is the value of the string before it.
    value = structure ~ /^[ \t\r\n]*:[ \t\r\n]*$/ ? last : ""
  }
  inside = !inside
}
